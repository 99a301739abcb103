"""What happens by itself. It knows channels only by what they declare, and the window not at all."""

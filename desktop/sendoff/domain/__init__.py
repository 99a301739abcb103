"""What a post, an account and a delivery are: data in, data out, no I/O, no clock of its own."""

"""Coming back: what became of what was planned while nothing could leave."""

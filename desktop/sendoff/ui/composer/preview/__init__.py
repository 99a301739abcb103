"""How a post will look where it goes."""

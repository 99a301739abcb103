"""Punctuality and speed, as ratios measured in one run: ./test bench."""

"""Sendoff: write once, and it leaves on time."""

__version__ = "0.1.0"

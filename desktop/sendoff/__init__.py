"""Sendoff: write once, and it leaves on time."""

__version__ = "0.1.0"

APP_ID = "org.sendoff.Sendoff"
"""The program's name to desktops: its desktop file, its window class, its autostart entry."""

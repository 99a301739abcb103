"""The only PySide6: the window, the tray and everything in them."""

"""The only PySide6: the window, the tray and everything in them."""

import sys

from sendoff.ui import features

features.switch_off()

if sys.version_info < (3, 12):
    from sendoff.ui import overrides

    overrides.guard()

"""What the frozen program starts with."""

import sys

if sys.platform == "linux":
    # Modules are read from the program's own file when they are first needed. By this name that stays the file which
    # runs, even after an update has put another one in its place (proc(5)); PyInstaller would end the process there.
    import pyimod02_importers

    pyimod02_importers.pyz_archive._filename = "/proc/self/exe"

from sendoff.cli.main import main

sys.exit(main())

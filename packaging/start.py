"""What the frozen program starts with."""

import os
import sys

if sys.platform == "linux":
    # Modules are read from the program's own file when they are first needed. By this name that stays the file which
    # runs, even after an update has put another one in its place (proc(5)); PyInstaller would end the process there.
    import pyimod02_importers

    pyimod02_importers.pyz_archive._filename = "/proc/self/exe"
    # Only this process has needed it. The browsers and viewers that it opens would load our Qt instead of their own.
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before := os.environ.pop("LD_LIBRARY_PATH_ORIG", ""):
        os.environ["LD_LIBRARY_PATH"] = before

from sendoff.cli.main import main

sys.exit(main())

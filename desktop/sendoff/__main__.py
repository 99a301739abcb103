"""`python -m sendoff` is the command `sendoff`."""

import sys

from sendoff.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

"""What the frozen program starts with."""

import sys

from sendoff.cli.main import main

sys.exit(main())

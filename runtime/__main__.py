"""Run the command as `python -m`."""

import sys

from ._command import main

sys.exit(main())

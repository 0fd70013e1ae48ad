"""`python -m transmissions` is `trans`."""

import os
import sys

if not sys.flags.safe_path:
    # Without -P Python looks first in the working directory, which may be somebody's unpacked data.
    del sys.path[0]

try:
    from .cli import main

    sys.exit(main())
except KeyboardInterrupt:
    # As early as this, or as late, there is nothing to put in order, and nobody wants to see where it was.
    os._exit(130)

"""`python -m transmissions` is `trans`."""

import sys

if not sys.flags.safe_path:
    # Without -P Python looks first in the working directory, which may be somebody's unpacked data.
    del sys.path[0]

from .cli import main

sys.exit(main())

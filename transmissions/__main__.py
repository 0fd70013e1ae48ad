"""`python -m transmissions` is `trans`."""

import sys

from .cli import main

sys.exit(main())

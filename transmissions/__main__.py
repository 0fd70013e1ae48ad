"""`python -m transmissions` is `trans`; so is the script that an installation brings."""

import os
import sys


def main() -> int:
    """Run the command line of this process."""
    try:
        from .cli import main as run

        return run()
    except KeyboardInterrupt:
        # As early as this, or as late, there is nothing to put in order, and nobody wants to see where it was.
        os._exit(130)


if __name__ == "__main__":
    if not sys.flags.safe_path:
        # Without -P Python looks first in the working directory, which may be somebody's unpacked data.
        del sys.path[0]
    sys.exit(main())

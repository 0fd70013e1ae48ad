"""The program of a process that works for a run; `workers` starts it with the descriptors of two pipes.

It gets the plan and the folders through the first pipe and answers batches through the second. It leads a session of its own,
and SIGINT and SIGTERM pass it by: whoever started it lets what is on its way arrive. When that process is gone, it ends: at
once if it waits, after the batch at hand if it works, and after some seconds in any case.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import threading
import time
from typing import Final

GRACE: Final = 5.0
"""Seconds a process may work on alone."""


def main() -> None:
    """Work until told to end, or until nobody is there to work for."""
    gc.disable()  # Until all is imported: there is no garbage in that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # Ignored signals would stay so in commands that a step starts.
    requests, answers, *held = map(int, sys.argv[1:])
    for descriptor in (requests, answers, *held):
        os.set_inheritable(descriptor, False)
    threading.Thread(target=_leave_when_alone, args=(requests,), name="alone", daemon=True).start()
    _work(requests, answers)


def _leave_when_alone(requests: int) -> None:
    poll = select.poll()
    poll.register(requests, 0)
    poll.poll()
    time.sleep(GRACE)
    os._exit(1)


def _work(requests: int, answers: int) -> None:
    from .late_tls import import_asyncio

    import_asyncio()
    import asyncio

    from .worker_serving import serve

    asyncio.run(serve(requests, answers))


if __name__ == "__main__":
    main()

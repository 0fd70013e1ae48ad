"""Call `trans` as its script does, but in the process of the test, where what it imports is there already."""

import contextlib
import io
import os
import sys
from subprocess import CompletedProcess
from unittest.mock import patch

import pyshacl  # noqa: F401 - imported once here: `trans` checks an app in a child, which would import it each time
import rdflib  # noqa: F401
from own_log import own_log

from transmissions.cli import main


def trans(home, *words, **variables):
    """Run `trans` in a folder, with variables of the environment; return what it printed, and its exit code."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    streams = patch.multiple(sys, stdin=io.TextIOWrapper(io.BytesIO()), stdout=out, stderr=err)
    with contextlib.chdir(home), patch.dict(os.environ, NO_COLOR="1", **variables), streams, own_log():
        code = main(list(words))
    return CompletedProcess(words, code, *(stream.buffer.getvalue().decode() for stream in (out, err) if not stream.flush()))

"""`trans serve`: what it asks itself with --check, and how it ends."""

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys

import pytest
from delivering import decoded, make_home

TRANS = [sys.executable, "-P", "-m", "transmissions", "serve", "numbers", "--no-token", "--port", "0"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home with apps of numbers."""
    make_home(tmp_path, monkeypatch)
    return tmp_path


def test_a_server_checks_every_endpoint_of_its_own():
    """Those of every app on each protocol, and those of its own."""
    done = subprocess.run([*TRANS, "--check"], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    asked = {line.split(None, 2)[2] for line in lines}
    assert asked >= {
        "GET /metrics",
        "GET /openapi.json",
        "POST /apps/numbers/stream, complete",
        "WS /apps/numbers/ws, complete",
    }


def test_sc05_ss19_a_signal_ends_a_server_when_its_runs_have_ended():
    """The client has the summary, and the exit code says which signal it was."""
    process = subprocess.Popen(TRANS, stderr=subprocess.PIPE, text=True)
    try:
        port = int(re.search(r":(\d+);", process.stderr.readline())[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=50)
        with contextlib.closing(connection):
            connection.request("POST", "/apps/numbers/stream", json.dumps({"count": 40, "wait": 0.02}))
            with connection.getresponse() as reply:
                reply.readline()
                process.send_signal(signal.SIGTERM)
                summary = decoded(reply.read())[-1]
        assert (summary["event"], summary["reason"], process.wait(50)) == ("summary", "shutdown", 143)
    finally:
        process.kill()
        process.communicate()

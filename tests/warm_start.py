"""A `trans` that has begun already: for each call it forks, so that only the first pays for what all of them import.

A process waits at a socket; the script that stands for `trans` gives it its words, folder, environment and streams, passes
signals on, and ends as the call does.
"""

import contextlib
import importlib
import marshal
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from struct import pack, unpack

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CALL = """#!{python} -IS
import marshal, os, signal, socket, struct, sys
call = socket.socket(socket.AF_UNIX)
call.connect({door!r})
data = marshal.dumps((sys.argv[1:], os.getcwd(), dict(os.environ)))
socket.send_fds(call, [struct.pack("!i", len(data))], [0, 1, 2])
call.sendall(data)
number = lambda: struct.unpack("!i", call.recv(4, socket.MSG_WAITALL))[0]
child = number()
for one in {passed_on}:
    signal.signal(one, lambda received, _: os.kill(child, received))
code = number()
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


@contextlib.contextmanager
def warmed_up(script, prelude):
    """Have a script do what `trans` does, by a process that runs a prelude before it imports anything."""
    with tempfile.TemporaryDirectory(prefix="trans-") as folder:
        door = f"{folder}/door"
        program = f"{prelude}sys.path.append({str(Path(__file__).parent)!r})\nfrom warm_start import serve\nserve({door!r})\n"
        command = [sys.executable, "-S", "-c", program]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            script.write_text(CALL.format(python=sys.executable, door=door, passed_on=[int(one) for one in PASSED_ON]))
            script.chmod(0o755)
            yield
            process.terminate()


def serve(path):
    """Wait for calls, until whoever began this is gone."""
    for name in (
        "pyshacl",
        "rdflib",
        "jinja2",
        *(f"transmissions.{part}" for part in ("validate", "engine", "session", "golden")),
    ):
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    owner = os.getppid()
    door = socket.socket(socket.AF_UNIX)
    door.bind(path)
    door.listen(64)
    door.settimeout(1)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while os.getppid() == owner:
        with contextlib.suppress(TimeoutError):
            call, _ = door.accept()
            if not os.fork():
                door.close()
                _answer(call)
            call.close()


def _answer(call):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    call.setblocking(True)
    length, streams, *_ = socket.recv_fds(call, 4, 3)
    data = call.recv(unpack("!i", length)[0], socket.MSG_WAITALL)
    child = os.fork()
    if not child:
        call.close()
        sys.exit(_trans(*marshal.loads(data), streams))
    call.sendall(pack("!i", child))
    call.sendall(pack("!i", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
    os._exit(0)


def _trans(words, folder, environment, streams):
    """Be the process that was called."""
    from transmissions.cli import main

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", 1, errors="backslashreplace")
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = ["trans", *words]
    return main()

"""`trans serve --api` under 10,000 requests in a row and then 50 at once: pace, memory, and whether each answer is right.

Right is what a fresh process gives for the same message. `python benchmarks/requests.py [COUNT]`
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

TRANS = [sys.executable, "-P", "-m", "transmissions"]
NAMES = ("Ada", "Grace")
TOKEN = "benchmark"


def fresh(name):
    """Return the message a fresh process ends with."""
    command = [*TRANS, "run", "hello", name, "--json", "-q"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def post(connection, name):
    """Send a message and return the first one of the answer."""
    connection.request("POST", "/api/hello", json.dumps({"name": name}), {"Authorization": f"Bearer {TOKEN}"})
    reply = connection.getresponse()
    answer = json.loads(reply.read())
    assert reply.status == 200, answer
    return answer["data"]


def memory(process):
    """Return the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(process, port, count, right):
    """Send requests and print figures."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for name in NAMES * 50:
        post(connection, name)
    before, began = memory(process), time.perf_counter()
    wrong = sum(post(connection, name) != right[name] for name in islice(cycle(NAMES), count))
    seconds = time.perf_counter() - began
    print(f"{count} in a row      {count / seconds:6.0f}/s   {wrong} wrong   {before:.0f} MiB, then {memory(process):.0f} MiB")
    began = time.perf_counter()
    with ThreadPoolExecutor(50) as pool:
        names = list(islice(cycle(NAMES), 50))
        answers = pool.map(lambda name: post(http.client.HTTPConnection("127.0.0.1", port), name), names)
        wrong = sum(answer != right[name] for name, answer in zip(names, answers, strict=True))
    print(f"50 at once         {time.perf_counter() - began:6.2f} s   {wrong} wrong   {memory(process):.0f} MiB after")


def main():
    """Start a server, measure, and end it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    right = {name: fresh(name) for name in NAMES}
    command = [*TRANS, "serve", "--api", "hello", "--port", "0"]
    environment = {**os.environ, "TRANS_TOKEN": TOKEN}
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            port = int(re.search(r":(\d+);", process.stderr.readline())[1])
            measure(process, port, count, right)
        finally:
            process.terminate()
            process.communicate()


if __name__ == "__main__":
    main()

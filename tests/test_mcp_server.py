"""Apps as tools of the Model Context Protocol, for the client of its own library."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager

import pytest
from mcp import Client, StdioServerParameters, stdio_client
from waiting import eventually

PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
TRANS = ("-P", "-m", "transmissions", "mcp")
APPS = {
    "act": """:act a :EntryTransmission ; :pipe ( [ a :Act ] ) ;
        :argument [ :name "how-to" ; :field "how" ; :required true ; rdfs:comment "What to do" ] .""",
    "each": ':each a :EntryTransmission ; :pipe ( [ a :ForEach ; :forEach "items" ] [ a :ShowMessage ; :alert "" ] ) .',
}
STEP = '''
import asyncio
import pathlib
import subprocess
import sys

from transmissions import Processor, RunError


class Act(Processor):
    """Do what a message says."""

    async def process(self, message):
        how = message["how"]
        if how == "fail":
            raise RunError("out of order")
        if how == "break":
            raise ValueError(f"no {self.context.folders.app}/x")
        if how == "wait":
            pathlib.Path("waiting").touch()
            while not pathlib.Path("go-on").exists():
                await asyncio.sleep(0.02)
        if how == "shout":
            print("shouting")
            subprocess.run(["sh", "-c", "echo aloud; cat"])
        return {"how": how, "odd": "\\ud83d \\\\ud83d", "nan": float("nan")}
'''


@pytest.fixture
def home(tmp_path):
    """Give a home with the apps above."""
    for name, pipe in APPS.items():
        (tmp_path / "apps" / name).mkdir(parents=True)
        (tmp_path / "apps" / name / "transmissions.ttl").write_text(PREFIX + pipe)
    (tmp_path / "apps" / "act" / "about.md").write_text("# act\n\nActs. As told.\n\nMore.\n")
    (tmp_path / "processors").mkdir()
    (tmp_path / "processors" / "steps.py").write_text(STEP)
    return tmp_path


@asynccontextmanager
async def connected(home, *words, mode="auto"):
    """Give a client of a server of the apps."""
    with (home / "log").open("w") as log:
        server = StdioServerParameters(command=sys.executable, args=[*TRANS, *words], cwd=home, env={"TMPDIR": str(home)})
        async with Client(stdio_client(server, errlog=log), mode=mode) as client:
            yield client


def calls(home, *calls, words=()):
    """Return the results of calls, one after the other in one session."""

    async def work():
        async with connected(home, *words) as client:
            return [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(work())


def text_of(result):
    (block,) = result.content
    return block.text


def test_the_bundled_apps_are_tools():
    """`trans mcp hello` says what it takes, and greets."""

    async def work():
        server = StdioServerParameters(command=sys.executable, args=[*TRANS, "hello"])
        async with Client(server) as client:
            (tool,) = (await client.list_tools()).tools
            return (
                tool,
                await client.call_tool("hello", {"name": "Ada"}),
                await client.call_tool("hello", {"message": {"a": 1}}),
            )

    tool, ada, world = asyncio.run(work())
    assert (tool.name, tool.description) == ("hello", "The smallest app worth reading: one message goes through three steps.")
    name = {"type": "string", "description": "who is greeted", "default": "world"}
    assert (tool.input_schema["properties"]["name"], tool.input_schema["required"]) == (name, [])
    assert ada.structured_content["messages"] == [{"name": "Ada", "content": "Ciao, Ada!"}]
    assert json.loads(text_of(ada)) == ada.structured_content
    assert "a message arrived" in ada.structured_content["output"]
    assert world.structured_content["messages"] == [{"a": 1, "name": "world", "content": "Ciao, world!"}]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_app_says_what_it_takes(home, mode):
    """To clients of either generation of the protocol."""

    async def work():
        async with connected(home, mode=mode) as client:
            return (await client.list_tools()).tools

    act, each = asyncio.run(work())
    assert (act.name, act.description, each.description) == ("act", "Acts. As told.", "Run the app each.")
    assert act.input_schema["properties"]["how-to"] == {"type": "string", "description": "What to do"}
    assert (act.input_schema["required"], set(each.input_schema["properties"])) == (["how-to"], {"message"})


def test_results_are_the_final_messages(home):
    """All of them, in words that every client understands; each call is a run of its own."""
    each, none, act = calls(home, ("each", {"message": {"items": [1, 2]}}), ("each", {"message": {"items": []}}),
                            ("act", {"how-to": "a"}))  # fmt: skip
    assert [one["currentItem"] for one in each.structured_content["messages"]] == [1, 2]
    assert none.structured_content["messages"] == []
    assert act.structured_content == {"messages": [{"how": "a", "odd": "\ufffd \\ud83d", "nan": None}]}


FAULTS = {
    "out of order": ("act", {"how-to": "fail"}),
    "ValueError: no act/x": ("act", {"how-to": "break"}),
    "needs an argument: how-to": ("act", {}),
    "act takes no argument 'how'; did you mean 'how-to'": ("act", {"how": "a"}),
    "the argument 'how-to' must be a text": ("act", {"how-to": 7}),
    "the argument 'message' must be an object": ("each", {"message": "a"}),
    "there is no tool 'acts'; did you mean 'act'": ("acts", {}),
}


def test_whatever_goes_wrong_is_a_result_that_says_so(home):
    """A run that fails, arguments that are none, an app that is not there; then the next call is served."""
    *failed, last = calls(home, *FAULTS.values(), ("act", {"how-to": "a"}))
    assert [(one.is_error, fault in text_of(one)) for one, fault in zip(failed, FAULTS, strict=True)] == [(True, True)] * 7
    assert not last.is_error


def test_nothing_else_gets_between_the_lines_of_the_protocol(home):
    """What processors and their programs print goes to the log, and they read an end."""
    (result,) = calls(home, ("act", {"how-to": "shout"}))
    assert result.structured_content["messages"][0]["how"] == "shout"
    assert {"shouting", "aloud"} <= set((home / "log").read_text().split())


def test_calls_run_at_once(home):
    """As many as `--concurrent` says; further ones stand in line."""

    async def work():
        async with connected(home, "--concurrent", "2") as client:
            first = asyncio.create_task(client.call_tool("act", {"how-to": "wait"}))
            second = await client.call_tool("act", {"how-to": "a"})
            (home / "go-on").touch()
            return second, await first

    assert [one.structured_content["messages"][0]["how"] for one in asyncio.run(work())] == ["a", "wait"]


def test_a_call_that_takes_too_long_is_an_error(home):
    """After `--timeout` seconds."""
    (result,) = calls(home, ("act", {"how-to": "wait"}), words=("--timeout", "0.5"))
    assert result.is_error
    assert "0.5" in text_of(result)


def start(home):
    """Start a server by hand, and a call that waits."""
    command = [sys.executable, *TRANS, "act"]
    process = subprocess.Popen(
        command, cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    call = {"name": "act", "arguments": {"how-to": "wait"}}
    for line in (
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
    ):
        process.stdin.write(json.dumps(line) + "\n")
    process.stdin.flush()
    assert eventually((home / "waiting").exists, 30)
    return process


def test_the_first_signal_lets_calls_finish(home):
    """Then the server ends, though its client is still there."""
    with start(home) as process:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        (home / "go-on").touch()
        lines = [json.loads(line) for line in process.stdout]
        assert [one["id"] for one in lines] == [1, 2]
        assert process.wait(30) == 143
        process.stdin.close()


def test_the_second_signal_ends_it_at_once(home):
    """Whatever is at work."""
    with start(home) as process:
        process.send_signal(signal.SIGTERM)
        said = process.stderr.readline()
        while "stopping" not in said:
            said = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
        process.stdin.close()


def test_a_client_that_goes_takes_its_calls_along(home):
    """The server ends well."""
    with start(home) as process:
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.parametrize(("words", "fault"), [
    (["no-such-app"], "no app 'no-such-app'"), (["act", "each", "--set", "a.b=1"], "--target and --set are for one app"),
])  # fmt: skip
def test_what_cannot_be_offered_is_refused_before_anything_is(home, words, fault):
    """With the exit code of a config at fault."""
    command = [sys.executable, *TRANS, *words]
    done = subprocess.run(command, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=dict(os.environ))
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(fault, done.stderr)


def test_without_an_input_there_is_nobody_to_serve(home):
    """Where standard input is closed it ends at once, with a sentence."""
    result = subprocess.run(
        ["sh", "-c", 'exec "$0" "$@" <&-', sys.executable, *TRANS, "act"], cwd=home, capture_output=True, text=True, timeout=60
    )
    assert (result.returncode, result.stdout, result.stderr) == (2, "", "error: cannot read standard input: it is closed\n")

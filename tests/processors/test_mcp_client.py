"""McpClient, with a server made by the protocol's own library: a program, and behind HTTP."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from local_server import Page, redirect, serving
from waiting import eventually

from transmissions import NodeFailed, Secret, UsageError
from transmissions.processors.command_settings import Variable
from transmissions.processors.fetching import SecretHeader
from transmissions.processors.mcp_client import Argument, McpClient
from transmissions.testing import through

TOOLS = Path(__file__).parents[1] / "mcp_tools.py"
SERVER = (sys.executable, str(TOOLS))
TEXT = Argument(name="text", field="content")


def call(tool, *arguments, message=None, **settings):
    where = {} if "url" in settings else {"command": SERVER}
    settings = {**where, "tool": tool, "arguments": arguments, **settings}
    return through(McpClient(**settings), [message or {"content": "né 🦔"}])[0]


@pytest.fixture(scope="module")
def url():
    with subprocess.Popen([*SERVER, "--http"], stdout=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
        process.terminate()


def test_a_tool_is_called_for_each_message():
    """In one session, with values of fields and values of one's own; text goes to the field."""
    client = McpClient(command=SERVER, tool="echo", arguments=(TEXT, Argument(name="times", value=2)), output_field="a.b")
    replies = through(client, [{"content": "né 🦔"}, {"content": "x\ny"}], concurrency=2)
    assert [one["a"]["b"] for one in replies] == ["né 🦔né 🦔", "x\nyx\ny"]


def test_what_is_structured_comes_as_it_is(url):
    """Unless the text is wanted, or everything."""
    assert call("count", TEXT, url=url)["content"] == {"letters": 4}
    assert json.loads(call("count", TEXT, url=url, read_as="text")["content"]) == {"letters": 4}
    whole = call("count", url=url, arguments_field="given", message={"given": {"text": "abc"}}, read_as="whole")["content"]
    assert (whole["structured"], [part["type"] for part in whole["content"]]) == ({"letters": 3}, ["text"])


def test_images_come_in_base64(url):
    """As parts beside the text."""
    image = {"type": "image", "data": "iVBORw==", "mimeType": "image/png"}
    assert call("picture", url=url)["content"] == [{"type": "text", "text": "a dot"}, image]


@pytest.mark.parametrize(("tool", "arguments", "settings", "fault"), [
    ("fail", (), {}, "the tool 'fail' failed: .*out of order"),
    ("ech", (), {}, "the server has no tool 'ech'; did you mean 'echo'"),
    ("echo", (), {}, "the arguments do not fit the tool 'echo': 'text' is a required property"),
    ("echo", (TEXT, Argument(name="times", field="content")), {}, "times: 'né 🦔' is not of type 'integer'"),
    ("echo", (TEXT,), {"read_as": "structured"}, "the tool 'echo' gave nothing that is structured"),
    ("echo", (), {"arguments_field": "content"}, "'content' is not an object of arguments but a str"),
])  # fmt: skip
def test_what_goes_wrong_is_an_error_that_says_why(url, tool, arguments, settings, fault):
    """At the server, or before it is asked."""
    with pytest.raises(NodeFailed, match=fault):
        call(tool, *arguments, url=url, **settings)


@pytest.mark.parametrize(("tool", "arguments", "settings", "fault"), [
    ("echo", (TEXT, Argument(name="times", value=9999)), {"max_bytes": 30000}, "wrote a line of more than 30000 bytes"),
    ("die", (), {}, "python.*: .*; it said: goodbye"),
])  # fmt: skip
def test_a_program_that_fails_on_the_way_is_an_error_that_says_why(tool, arguments, settings, fault):
    """It says too much at once, or is gone."""
    with pytest.raises(NodeFailed, match=fault):
        call(tool, *arguments, **settings)


def test_a_tool_that_takes_too_long_is_given_up(url):
    """After the time-out."""
    with pytest.raises(NodeFailed, match=r"request .* timed out"):
        call("wait", url=url, timeout=3000)


def test_what_a_server_has_is_listed_and_read(url):
    """Tools, resources, prompts; a text as text, bytes in base64, a prompt as messages."""

    def ask(action, **settings):
        return through(McpClient(url=url, action=action, **settings), [{"where": "notes://dot", "who": 7}])[0]["content"]

    assert {"echo", "count"} <= {tool["name"] for tool in ask("list-tools")}
    assert [one["uri"] for one in ask("list-resources")] == ["notes://today", "notes://dot"]
    assert [one["arguments"] for one in ask("list-prompts")] == [[{"name": "name", "required": True}]]
    assert ask("read-resource", uri="notes://today") == "Nothing."
    assert ask("read-resource", uri_field="where") == [{"uri": "notes://dot", "mimeType": "image/png", "blob": "iVBORw=="}]
    (said,) = ask("get-prompt", prompt="greet", arguments=(Argument(name="name", field="who"),))
    assert said == {"role": "user", "content": {"type": "text", "text": "Say hello to 7."}}
    with pytest.raises(NodeFailed, match="notes://no"):
        ask("read-resource", uri="notes://no")


def test_a_server_behind_http_gets_the_headers(url, monkeypatch):
    """Also the secret ones; a proxy of the environment is not used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    secret = SecretHeader(name="X-Key", prefix="k ", value=Secret("s3cret"))
    message = call("variable", Argument(name="name", value="x-key"), command=(), url=url, secret_headers=(secret,))
    assert message["content"] == "k s3cret"


@pytest.mark.parametrize(("answer", "fault"), [
    (Page(b"no", {}, 401), r"http://127\.0\.0\.1:\d+/: .*; it answered 401 Unauthorized"),
    (Page(b"{", {"Content-Type": "application/json"}), "failed to parse JSON"),
    (redirect("http://127.0.0.2:1/"), "redirect to http://127.0.0.2:1/ not followed"),
    (Page(b"x" * 9000, {"Content-Type": "application/json"}), "the answer is larger than 8000 bytes"),
])  # fmt: skip
def test_what_is_no_server_is_an_error_that_names_it(answer, fault):
    """And redirects to elsewhere are not followed."""
    with serving(lambda _: answer) as server, pytest.raises(NodeFailed, match=fault):
        through(McpClient(url=server.url, tool="echo", max_bytes=8000), [{}])


def test_a_secret_is_not_told_when_the_server_tells_it():
    """In no error."""
    env = (Variable(name="KEY", secret=Secret("hunter2-hunter2")),)
    with pytest.raises(NodeFailed, match="it said: my key is …"):
        through(McpClient(command=("sh", "-c", 'echo "my key is $KEY" >&2'), tool="t", env=env), [{}])


ODD = """
import itertools, json, sys
begun = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "odd", "version": "1"}}
schema, pages = json.loads(sys.argv[1]), itertools.count()
for asked in map(json.loads, sys.stdin):
    listed = {"tools": [{"name": "t", "inputSchema": {"type": "object", **schema}}]}
    endless = listed | ({"nextCursor": str(next(pages))} if "endless" in schema else {})
    if "banner" in schema:
        print("welcome", flush=True)
    done = schema.get("result", {"content": [{"type": "text", "text": "done"}]})
    result = {"initialize": begun, "tools/list": endless, "tools/call": done}.get(asked["method"])
    reply = {"result": result} if result else {"error": {"code": -32601, "message": "what?"}}
    if "id" in asked:
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **reply}), flush=True)
"""


def odd(schema, **given):
    """Return what becomes of a call whose arguments a server of its own kind describes."""
    client = McpClient(command=(sys.executable, "-c", ODD, json.dumps(schema)), tool="t", arguments_field="given")
    return through(client, [{"given": given}])[0]["content"]


@pytest.mark.parametrize("schema", [
    {"properties": {"key": {"pattern": "^(k+)+$"}}},
    {"patternProperties": {"^(k+)+$": {"type": "string"}}, "additionalProperties": False},
    {"patternProperties": {"^(k+)+$": {"type": "string"}}, "unevaluatedProperties": False},
])  # fmt: skip
def test_patterns_are_left_to_the_server(schema):
    """One of its own making could hold the run up for ever."""
    assert odd(schema, key="k" * 200 + "!", **{"k" * 200 + "!": "x"}) == "done"


def test_what_else_does_not_fit_is_said():
    """Before the server is asked."""
    with pytest.raises(NodeFailed, match="Additional properties are not allowed"):
        odd({"properties": {"key": {}}, "additionalProperties": False}, other=1)


def test_half_an_emoji_in_an_answer_does_not_lose_it():
    """The other half was cut off by whoever made the text; nobody waits in vain for an answer that is there."""
    assert odd({"result": {"content": [{"type": "text", "text": "a\ud83c \\ud83c 🌳"}]}}) == "a\ufffd \\ud83c 🌳"


@pytest.mark.parametrize(("schema", "fault"), [
    ({"result": {"content": None}}, r": its answer is none the protocol knows: content: input should be a valid list$"),
    ({"result": {"content": [{"type": "zzz"}]}, "banner": 1}, r"content\.0.*required; it wrote what is no message: welcome"),
])  # fmt: skip
def test_an_answer_that_breaks_the_protocol_is_told_in_a_sentence(schema, fault):
    """What else the program wrote may be why; an answer that is one counts all the same."""
    with pytest.raises(NodeFailed, match=fault):
        odd(schema)
    assert odd({"banner": 1}) == "done"


def test_a_list_without_an_end_is_given_up():
    """One page after the other, each with the name of another one."""
    with pytest.raises(NodeFailed, match="the server's list of tools has more than 1000 pages"):
        odd({"endless": True})


def test_a_program_gets_few_variables(monkeypatch):
    """Those it needs and those it is given; keys of others are none of its business."""
    monkeypatch.setenv("SOME_KEY", "secret")
    own = (Variable(name="MINE", value="1"), Variable(name="KEY", secret=Secret("k")))
    asked = {"SOME_KEY": "None", "MINE": "1", "KEY": "k", "PATH": os.environ["PATH"]}
    client = McpClient(command=SERVER, tool="variable", arguments=(Argument(name="name", field="name"),), env=own)
    assert [one["content"] for one in through(client, [{"name": name} for name in asked])] == list(asked.values())


@pytest.mark.parametrize(("command", "fault"), [
    (("no-such-program",), "there is no program 'no-such-program' on PATH"),
    (("sh", "-c", "echo; echo hello; cat"), "the server 'sh': .*"),
    (("sh", "-c", "echo broken >&2; exit 3"), "the server 'sh': .*; it said: broken"),
    (("sh", "-c", "head -c 99999 /dev/zero; cat"), "'sh': .*; it wrote a line of more than 9999 bytes"),
    (("cat",), "the server 'cat': .*"), (("sleep", "60"), "the server 'sleep': no session began in time"),
])  # fmt: skip
def test_a_program_that_is_no_server_is_an_error_that_names_it(command, fault):
    """One that is not there, that ends, that speaks otherwise or not at all."""
    timeout = 1000 if command[0] == "sleep" else 30_000
    with pytest.raises(NodeFailed, match=fault):
        through(McpClient(command=command, tool="echo", timeout=timeout, max_bytes=9999), [{}])


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids):
    return eventually(lambda: not any(map(alive, pids)), 20)


def test_a_program_ends_with_the_run():
    """And whatever it started."""
    assert gone(call("offspring", grace=500)["content"].split())


def test_a_program_ends_with_a_process_that_is_killed():
    """No orphans after kill -9."""
    code = f"""
import os
from transmissions import Processor
from transmissions.processors.mcp_client import McpClient
from transmissions.testing import through

class Die(Processor):
    def process(self, message):
        print(message["content"], flush=True)
        os.kill(os.getpid(), 9)

through([McpClient(command={SERVER!r}, tool="offspring"), Die()], [{{}}])
"""
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == -9
    assert len(done.stdout.split()) == 2
    assert gone(done.stdout.split())


@pytest.mark.parametrize(("settings", "fault"), [
    ({"tool": "t"}, "either :command or :url"),
    ({"command": ("a",), "url": "http://a", "tool": "t"}, "either :command or :url"),
    ({"command": ("a",)}, ':action "call" needs :tool'), ({"url": "ftp://a", "tool": "t"}, ":url 'ftp://a'"),
    ({"url": "http://a", "action": "read-resource"}, "needs :uri or :uriField"),
    ({"url": "http://a", "action": "get-prompt"}, "needs :prompt"),
])  # fmt: skip
def test_settings_that_cannot_be_meant_are_refused(settings, fault):
    """Before anything runs."""
    with pytest.raises(UsageError, match=fault):
        McpClient(**settings)


def test_a_start_pays_for_no_library_of_the_protocol():
    """It is imported when a run begins that needs it."""
    code = "import sys, transmissions.processors.mcp_client; print(*{'mcp', 'anyio', 'httpx2', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""

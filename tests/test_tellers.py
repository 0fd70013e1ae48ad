"""What happens in a run, told to a transmission of its own."""

import asyncio
import json

import pytest
from local_server import Page, serving

import transmissions
from transmissions import ConfigError, NodeFailed

WRITE = ':tell a :Transmission ; :pipe ( :write ) . :write a :JSONLinesWriter ; :destinationFile "events.ndjson" .'


@pytest.fixture
def app(tmp_path):
    """Return a function that makes an app of its terms, its pipe, and whatever else, and returns its folder."""

    def make(pipe, terms, rest=WRITE):
        folder = tmp_path / "app"
        folder.mkdir()
        text = (
            f"@prefix : <http://purl.org/stuff/transmissions/> .\n:main a :EntryTransmission ; :pipe ( {pipe} ) ; {terms} .\n"
        )
        (folder / "transmissions.ttl").write_text(text + rest)
        return folder

    return make


def told(folder):
    return [json.loads(line) for line in (folder / "events.ndjson").read_text().splitlines()]


def test_a_transmission_is_told_what_happens(app, tmp_path):
    """Every event is a message with its name, its time and what else is told; the last is the end."""
    folder = app('[ a :CommandSource ; :command ( "echo" "a" ) ]', ":events [ :to :tell ]")
    transmissions.run(folder, output=tmp_path)
    events = told(tmp_path)
    assert [one["event"] for one in events if one["event"].startswith("command")] == ["command-started", "command"]
    assert events[-1]["event"] == "end"
    assert events[-1]["error"] is None
    assert all(one["time"] > 1e9 for one in events)


def test_only_what_is_named_is_told(app, tmp_path):
    """Events can be chosen by name."""
    folder = app('[ a :CommandSource ; :command ( "false" ) ]', ':events [ :to :tell ; :only "command" ]')
    transmissions.run(folder, output=tmp_path)
    assert [(one["event"], one["exitCode"]) for one in told(tmp_path)] == [("command", 1)]


def test_the_end_tells_why(app, tmp_path):
    """A run that failed says so in its last event."""
    folder = app('[ a :CommandSource ; :command ( "no-such-program" ) ]', ':events [ :to :tell ; :only "end" ]')
    with pytest.raises(NodeFailed):
        transmissions.run(folder, output=tmp_path)
    assert "there is no program 'no-such-program'" in told(tmp_path)[0]["error"]


def test_messages_are_as_they_were(app, tmp_path):
    """Nothing that leaves the transmission that is told counts as a result of the run."""
    folder = app("[ a :NOP ]", ":events [ :to :tell ]")
    result = transmissions.run(folder, output=tmp_path)
    assert len(result.messages) == result.sent == 1


HOOK = ':tell a :Transmission ; :pipe ( :hook ) . :hook a :WebhookSink ; :url "{}" ; {} .'


def test_a_hook_that_fails_is_told_again(app, tmp_path, caplog):
    """A transmission that fails begins again, and the log has one line of it; the run goes on."""
    refusals = iter([500, 500])
    with serving(lambda _: Page(b"", {}, next(refusals, 200))) as server:
        retry = HOOK.format(server.url, ":retry [ :attempts 5 ; :delay 1 ]")
        transmissions.run(app("[ a :NOP ]", ':events [ :to :tell ; :only "end" ]', retry), output=tmp_path)
        assert [json.loads(seen.body)["event"] for seen in server.seen] == ["end"] * 3


def test_a_dead_hook_stops_nothing(app, tmp_path, caplog):
    """Where nobody takes events the run ends well, after its patience, and the log says once what was missed."""
    source = '[ a :CommandSource ; :command ( "seq" "3" ) ]'
    dead = HOOK.format("http://127.0.0.1:1/", ":timeout 100")
    result = transmissions.run(app(source, ":events [ :to :tell ; :patience 50 ]", dead), output=tmp_path)
    assert result.sent == 3
    said = [record.getMessage() for record in caplog.records if record.name.endswith("tellers")]
    assert len([one for one in said if "cannot be told" in one]) == 1


def test_the_oldest_make_room(app, tmp_path, caplog):
    """No more events wait than is allowed; how many were not told is in the log."""
    folder = app('[ a :CommandSource ; :command ( "true" ) ]', ':events [ :to :tell ; :only "mine" ; :limit 1 ]')

    async def work():
        run = transmissions.open(folder, output=tmp_path)
        run.on("command-started", lambda *_: [run.state.emit("mine", {"number": number}) for number in range(100)])
        async with run:
            await run.wait()

    asyncio.run(work())
    assert [one["number"] for one in told(tmp_path)] == [99]
    assert "tell was not told of all that happened: 99 events" in caplog.text


def test_what_happens_in_there_is_not_told(app, tmp_path):
    """Events of the transmission that is told are no events for it: there would be no end."""
    rest = (
        ':tell a :Transmission ; :pipe ( :run :write ) . :run a :CommandStep ; :command ( "true" ) .' + WRITE.partition(".")[2]
    )
    transmissions.run(app("[ a :NOP ]", ":events [ :to :tell ]", rest), output=tmp_path)
    assert [one["event"] for one in told(tmp_path)] == ["end"]


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (":events [ :to :tel ]", "unknown-transmission"),
        (":events [ :to :main ]", "events-to-entry"),
        (':events [ :only "end" ]', "missing"),
        (":events [ :to :tell ; :limit 0 ]", "range"),
        (":events [ :to :tell ; :onyl 'end' ]", "unknown"),
    ],
)
def test_events_that_lead_nowhere(app, terms, code):
    """What cannot be told, or to nobody, is refused with its place before the run."""
    with pytest.raises(ConfigError) as caught:
        transmissions.open(app("[ a :NOP ]", terms))
    (problem,) = caught.value.problems
    assert problem.code.startswith(code)
    assert problem.span.where.line == 2

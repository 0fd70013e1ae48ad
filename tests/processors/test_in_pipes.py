"""The processors together, in pipes written in Turtle and run by the engine."""

import json

import pytest

import transmissions
from transmissions import RunError

PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n"


@pytest.fixture
def app(tmp_path):
    """Run a pipe, given as Turtle, on one message; return the result."""

    def call(turtle, message=None):
        folder = tmp_path / "app"
        (folder / "data").mkdir(parents=True, exist_ok=True)
        (folder / "transmissions.ttl").write_text(PREFIX + turtle)
        return transmissions.run(str(folder), message=message or {}, output=tmp_path / "out")

    return call


def test_loops_may_be_nested(app):
    """The inner collection belongs to the inner loop, the outer to the outer, and one message comes out at the end."""
    result = app(
        """
        :main a :EntryTransmission ; :pipe ( :outer :inner :words :end1 :lines :end2 :tidy ) .
        :outer a :ForEach ; :forEach "lines" .
        :inner a :ForEach ; :forEach "currentItem" .
        :words a :Accumulate ; :accumulatorType "array" ; :targetField "words" .
        :end1 a :Unfork .
        :lines a :Accumulate ; :accumulatorType "array" ; :sourceField "words" ; :targetField "all" .
        :end2 a :Unfork .
        :tidy a :Restructure ; :remove "lines" .
        """,
        {"lines": [["a", "b"], [], ["c"]]},
    )
    assert result.messages == ({"all": [["a", "b"], [], ["c"]]},)


WRITERS = """
    :main a :EntryTransmission ; :pipe ( :read [ a :Route ; :branches (
        [ :when [ :field "v.x" ; :greater 1 ] ; :pipe ( :one ) ] [ :pipe ( :other ) ] ) ] ) .
    :read a :JSONWalker ; :pointer "all" ; :targetField "v" .
    """
SUB = """
    :sub a :Transmission ; :pipe ( :digest :write ) .
    :digest a :Hash ; :inputField "v.x" .
    :write a :JSONLinesWriter ; :destinationFile "o.ndjson" .
    """


@pytest.mark.parametrize(
    ("turtle", "told"),
    [
        (':one a :JSONLinesWriter . :other a :CSVWriter ; :destinationFile "./output.ndjson" .', "main/route/1/one, too"),
        (
            "".join(f':{name} a :CommandSource ; :command ( "true" ) ; :record "output.ndjson" .' for name in ("one", "other")),
            "main/route/[12]/(one|other), too",
        ),
        (f':one a :GOTO ; :gotoTarget "sub" . :other a :GOTO ; :gotoTarget "sub" . {SUB}', "another call of it, too"),
    ],
)
def test_two_sinks_never_share_a_file(app, turtle, told):
    """The one that ends last would leave only its own part: nothing is run, or nothing written."""
    with pytest.raises(RunError, match=f"ndjson' is written by {told}, and only one of both would be left"):
        app(WRITERS + turtle, {"all": [{"x": 1}, {"x": 2}]})


def test_what_a_call_wrote_before_it_failed_fails_the_run(app):
    """A caller sets its message aside and goes on, but the messages before are in no file any more."""
    turtle = ':main a :EntryTransmission ; :pipe ( :read :call ) . :read a :JSONWalker ; :pointer "all" ; :targetField "v" .'
    call = ':call a :GOTO ; :gotoTarget "sub" ; :onError "deadLetter" .'
    with pytest.raises(
        RunError, match=r"what sub/write wrote to '.*o\.ndjson' is undone: a failure ended 'sub'|no field 'v\.x'"
    ):
        app(turtle + call + SUB, {"all": [{"x": 1}, {}, {"x": 2}]})


def test_batches_end_with_their_group(app):
    """Two groups of three make four batches of at most two."""
    result = app(
        """
        :main a :EntryTransmission ; :pipe ( :twice :numbers :batch ) .
        :twice a :Fork ; :forks 2 .
        :numbers a :NumberSource ; :count 3 .
        :batch a :Batch ; :size 2 .
        """
    )
    batches = [[(item["forkN"], item["number"]) for item in message["items"]] for message in result.messages]
    assert batches == [[(0, 0), (0, 1)], [(0, 2)], [(1, 0), (1, 1)], [(1, 2)]]


def test_halt_ends_an_endless_run_cleanly(app):
    """Sources stop at the first message that reaches Halt, and the run counts as well ended."""
    result = app(
        """
        :main a :EntryTransmission ; :pipe ( :numbers :gently :way ) .
        :numbers a :NumberSource ; :count 1000000000 .
        :gently a :Delay ; :delay 0.1 .
        :way a :Route ; :branches ( [ :when [ :field "number" ; :equals 20 ] ; :pipe ( :stop ) ] ) .
        :stop a :Halt .
        """
    )
    assert (result.drained, result.exit_code) == (True, 0)
    assert [message["number"] for message in result.messages][:20] == list(range(20))


def test_goto_gives_all_the_messages_of_the_transmission_it_calls(app):
    """What a called transmission makes of a message comes back to the caller."""
    result = app(
        """
        :main a :EntryTransmission ; :pipe ( :call :mark ) .
        :call a :GOTO ; :gotoTarget "sub" .
        :mark a :SetText ; :text "back" ; :targetField "where" .
        :sub a :Transmission ; :pipe ( :fork ) .
        :fork a :Fork ; :forks 2 .
        """,
        {"a": 1},
    )
    assert result.messages == ({"a": 1, "forkN": 0, "where": "back"}, {"a": 1, "forkN": 1, "where": "back"})


def test_a_bad_line_is_a_dead_letter_with_its_place(app, tmp_path):
    """The run goes on behind it, and ends with the exit code of incomplete input."""
    (tmp_path / "app/data").mkdir(parents=True)
    (tmp_path / "app/data/in.ndjson").write_text('{"a": 1}\n{oops}\n{"a": 2}\n')
    result = app(':main a :EntryTransmission ; :pipe ( :read ) . :read a :JSONLinesReader ; :sourceFile "in.ndjson" .')
    assert (result.messages, result.exit_code) == (({"a": 1}, {"a": 2}), 3)
    (letter,) = map(json.loads, (tmp_path / "out/dead-letters.ndjson").read_text().splitlines())
    assert (letter["message"], letter["line"], letter["offset"]) == ("{oops}", 2, 9)


def test_lines_written_can_be_read_again(app, tmp_path):
    """What JSONLinesWriter writes is complete when the run is over."""
    app(
        """
        :main a :EntryTransmission ; :pipe ( :numbers :write ) .
        :numbers a :NumberSource ; :count 3000 .
        :write a :JSONLinesWriter ; :destinationFile "n.ndjson" .
        """
    )
    lines = (tmp_path / "out/n.ndjson").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(3000))


def test_a_failed_run_leaves_no_half_written_file(app, tmp_path):
    """Neither the name nor a temporary file is there after a failure."""
    with pytest.raises(transmissions.NodeFailed, match="no field 'nothing'"):
        app(
            """
            :main a :EntryTransmission ; :pipe ( :numbers :write :fail ) .
            :numbers a :NumberSource ; :count 3000 .
            :write a :JSONLinesWriter ; :destinationFile "n.ndjson" .
            :fail a :Unbatch ; :sourceField "nothing" .
            """
        )
    assert not any((tmp_path / "out").glob("*n.ndjson*"))


def test_the_rate_of_a_pipe_can_be_limited(app):
    """All messages pass a limiter, in order."""
    result = app(
        """
        :main a :EntryTransmission ; :pipe ( :numbers :limit ) .
        :numbers a :NumberSource ; :count 50 .
        :limit a :RateLimiter ; :rate 5000 ; :burst 5 .
        """
    )
    assert [message["number"] for message in result.messages] == list(range(50))

"""`trans retry`: letters enter where they failed, and the file keeps what is not done."""

import json
import os
import signal
import subprocess
import sys
import time

import calling
import pytest
from waiting import eventually

PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n"
NOTES = (
    PREFIX
    + """
:notes a :EntryTransmission ;
    :argument [ :name "notes" ; :kind :Path ; :field "sourceFile" ; :default "data/notes.ndjson" ] ;
    :pipe ( :read :mark :check :fork :sub :write ) .
:read a :JSONLinesReader .
:mark a :Mark .
:check a :Check ; :onError "deadLetter" .
:fork a :Route ; :branches ( [ :when [ :field "side" ; :exists true ] ; :pipe ( :side ) ] ( :other ) ) .
:side a :Check ; :field "worse" ; :onError "deadLetter" .
:other a :NOP .
:sub a :Transmission ; :pipe ( :inner ) .
:inner a :Check ; :field "worst" ; :onError "deadLetter" .
:write a :JSONLinesWriter ; :destinationFile "out.ndjson" ; :append true .
"""
)
PROCESSORS = '''
import time
from pathlib import Path
from transmissions import Processor, Source, Secret

class Mark(Processor):
    """Leave a mark."""

    def process(self, message):
        """Mark one message."""
        message["marks"] = message.get("marks", 0) + 1
        return message

class Check(Processor):
    """Refuse messages that are marked as bad, as long as a file says so."""

    field: str = "bad"
    "What marks them."
    wait: float = 0.0
    "How long it takes."

    def process(self, message):
        """Check one message."""
        time.sleep(self.wait)
        if message.get(self.field) and (self.context.folders.output / "strict").exists():
            raise ValueError("marked as " + self.field)
        return message

class Pieces(Source):
    """Give the numbers in a text, and try what is none again."""

    def produce(self, message):
        """Yield a message for each number."""
        for word in message["text"].split():
            yield from self.one(word, "first")

    def one(self, word, when):
        """Yield a number, or set the word aside."""
        if word.isdigit():
            yield {"number": int(word), "when": when}
        else:
            self.context.reject(word, ValueError("no number"), place=7)

    def retry(self, letter):
        """Yield what is a number now."""
        if letter["message"] == "boom":
            raise ValueError("gave up")
        yield from self.one(letter["message"], "again")

class Total(Processor):
    """Add up, and write the sum at the end."""

    collapses = True

    def __post_init__(self):
        """Begin."""
        self.sum = 0

    def process(self, message):
        """Add a number."""
        self.sum += message["number"]

    def finish(self):
        """Write."""
        (self.context.folders.output / "sum").write_text(str(self.sum))

class Refuse(Processor):
    """Fail at the end."""

    def process(self, message):
        """Pass."""
        return message

    def finish(self):
        """Fail."""
        if (self.context.folders.output / "strict").exists():
            raise ValueError("at the end")
'''
NUMBERS = PREFIX + ":numbers a :EntryTransmission ; :pipe ( :give :total ) . :give a :Pieces . :total a :Total ."
LATE = PREFIX + ':late a :EntryTransmission ; :pipe ( :c :r ) . :c a :Check ; :onError "deadLetter" . :r a :Refuse .'
CALLS = (
    PREFIX
    + """
:calls a :EntryTransmission ; :pipe ( :go ) .
:go a :GOTO ; :gotoTarget "there" .
:there a :Transmission ; :pipe ( :c ) .
:c a :Check ; :onError "deadLetter" .
"""
)


@pytest.fixture
def home(tmp_path):
    """Give a home with some apps, a folder of output that makes checks strict, and lines of input."""
    apps = {"notes": NOTES, "numbers": NUMBERS, "late": LATE, "calls": CALLS}
    files = {f"apps/{name}/transmissions.ttl": text for name, text in apps.items()}
    lines = [{"n": 1}, {"n": 2, "bad": 1}, {"n": 3, "side": 1, "worse": 1}, {"n": 4, "bad": 1, "worst": 1}, {"n": 5}]
    files |= {"processors/check.py": PROCESSORS, "out/strict": "", "out/.transmissions": "{}"}
    files["apps/notes/data/notes.ndjson"] = "".join(json.dumps(line) + "\n" for line in lines)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def start(home, *words):
    """Start `trans` in a home, in a process of its own."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(home / "cache"), "NO_COLOR": "1"}
    command = [sys.executable, "-P", "-m", "transmissions", *words]
    return subprocess.Popen(command, cwd=home, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def trans(home, *words):
    """Call `trans`; return its exit code and all it says."""
    result = calling.trans(home, *words, XDG_CACHE_HOME=str(home / "cache"))
    return result.returncode, result.stdout + result.stderr


def letters(home):
    """Return the dead letters that are there."""
    file = home / "out/dead-letters.ndjson"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else None


def written(home):
    """Return what was written, in order: the numbers and how often each came by the first step."""
    lines = (home / "out/out.ndjson").read_text().splitlines()
    return [(line["n"], line["marks"]) for line in map(json.loads, lines)]


def test_letters_go_on_where_they_failed(home):
    """At its node, in a branch and in a transmission within: all behind it happens, nothing before it a second time."""
    assert trans(home, "notes", "-o", "out")[0] == 3
    assert len(letters(home)) == 3
    (home / "out/strict").unlink()
    code, said = trans(home, "retry", "out/dead-letters.ndjson")
    assert (code, said) == (0, "retried 3: 3 done\n")
    assert written(home) == [(1, 1), (5, 1), (2, 1), (4, 1), (3, 1)]
    assert letters(home) is None


def test_what_fails_again_stays_with_its_new_error(home):
    """Each that fails keeps its place with the number of tries, at the step it came to."""
    trans(home, "notes", "-o", "out")
    places = [one["message"]["n"] for one in letters(home) if one["message"]["n"] != 2]
    code, said = trans(home, "retry", "out/dead-letters.ndjson", "--set", "check.field=none")
    assert (code, said) == (3, "retried 3: 1 done, 2 set aside again\n")
    assert [one["message"]["n"] for one in letters(home)] == places
    nodes = {(one["node"], one["message"]["n"], one["tries"]) for one in letters(home)}
    assert nodes == {("notes/sub/inner", 4, 2), ("notes/fork/1/side", 3, 2)}
    assert written(home) == [(1, 1), (5, 1), (2, 1)]
    trans(home, "retry", "out/dead-letters.ndjson")
    assert [one["tries"] for one in letters(home)] == [3, 3]
    (home / "out/strict").unlink()
    assert trans(home, "retry", "out/dead-letters.ndjson")[0] == 0


def test_a_dry_run_lists_and_does_nothing(home):
    """What would be tried is a line with its place and its error."""
    trans(home, "notes", "-o", "out")
    before = (home / "out/dead-letters.ndjson").read_bytes()
    code, said = trans(home, "retry", "out/dead-letters.ndjson", "--dry-run")
    assert code == 0
    assert said.splitlines()[0] == "out/dead-letters.ndjson:1: notes/check  ValueError: marked as bad"
    assert (home / "out/dead-letters.ndjson").read_bytes() == before


def write_letters(home, *said):
    """Write a file of letters as an editor might leave it."""
    lines = [one if isinstance(one, str) else json.dumps({"where": None, "error": "x", "type": "E", **one}) for one in said]
    (home / "out/dead-letters.ndjson").write_text("\n".join(lines))


def test_letters_that_cannot_be_tried_stay_with_a_reason(home):
    """Broken lines, lost steps, messages that are not whole and ends of streams are told by line; the others are tried."""
    good = {"node": "notes/check", "message": {"n": 9}}
    write_letters(
        home,
        "{broken",
        {"node": "notes/chek", "message": {}},
        good,
        {"node": "notes/check", "message": {"data": "b'bytes'"}},
        {"node": "notes/check", "message": {"deep": [{"x": "<dict that cannot be shown>"}]}},
        {"node": "notes/check", "message": {}, "cut": True},
        {"node": "notes/write", "message": None},
        {"node": "notes/check", "message": "piece", "file": "x"},
        "",
        "[]",
    )
    before = (home / "out/dead-letters.ndjson").read_text().split("\n")
    code, said = trans(home, "retry", "out/dead-letters.ndjson", "--app", "notes")
    assert code == 3
    assert "out/dead-letters.ndjson:1: not JSON: expecting property name" in said
    assert ":2: notes/chek: no pipe has a node 'notes/chek'; did you mean 'notes/check'?" in said
    assert said.count("could not be written down whole") == 3
    assert ":7: notes/write: it is about the end of a stream" in said
    assert ":8: notes/check: Check set it aside by itself" in said
    assert said.endswith("retried 1: 1 done, 8 cannot be tried\n")
    assert (home / "out/dead-letters.ndjson").read_text().split("\n") == [*before[:2], *before[3:], ""]


def test_a_source_tries_its_own_pieces_again(home):
    """A piece of input that was mended in the letter becomes messages behind the Source; others stay as they were."""
    trans(home, "numbers", "-o", "out", "-m", '{"text": "1 x2 3 y"}')
    file = home / "out/dead-letters.ndjson"
    file.write_text(file.read_text().replace('"x2"', '"2"') + json.dumps({**letters(home)[0], "message": "boom"}))
    code, said = trans(home, "retry", "out/dead-letters.ndjson")
    assert code == 3
    assert said.endswith("retried 3: 1 done, 2 set aside again\n")
    assert (home / "out/sum").read_text() == "2"
    again, boom = letters(home)
    assert (again["message"], again["error"], again["place"], again["tries"]) == ("y", "ValueError: no number", 7, 2)
    assert (boom["message"], boom["error"], boom["place"], boom["tries"]) == ("boom", "ValueError: gave up", 7, 2)


def test_lines_are_added_to_what_the_run_wrote(home):
    """What is tried again stands behind what the run has written, though the step replaces the file in a run."""
    trans(home, "notes", "-o", "out", "--set", "write.append=false")
    (home / "out/strict").unlink()
    assert trans(home, "retry", "out/dead-letters.ndjson")[0] == 0
    assert written(home) == [(1, 1), (5, 1), (2, 1), (4, 1), (3, 1)]


def test_a_file_that_cannot_be_added_to_is_not_begun_anew(home):
    """The retry ends before it takes the place of what the run wrote, and no letter is lost."""
    app = home / "apps/notes/transmissions.ttl"
    app.write_text(NOTES.replace(":JSONLinesWriter", ':CSVWriter ; :columns "n"').replace(" ; :append true", ""))
    trans(home, "notes", "-o", "out")
    (home / "out/strict").unlink()
    code, said = trans(home, "retry", "out/dead-letters.ndjson")
    assert (code, "would hold nothing but what is tried again" in said, len(letters(home))) == (1, True, 3)
    assert (home / "out/out.ndjson").read_bytes() == b"n\r\n1\r\n5\r\n"


def test_what_makes_one_of_a_group_is_told(home):
    """A step that collapses a group cannot do so with one letter of it; that is said."""
    write_letters(home, {"node": "numbers/total", "message": {"number": 4}})
    code, said = trans(home, "retry", "out/dead-letters.ndjson", "--app", "numbers")
    assert (code, said.splitlines()[0]) == (
        0,
        "warning: numbers/total: what 'numbers/total' makes of a whole group is not made again",
    )
    assert (home / "out/sum").read_text() == "4"


def test_a_letter_is_done_when_its_pipe_has_ended_well(home):
    """Where a processor fails at its end, no letter is taken out of the file."""
    write_letters(home, {"node": "late/c", "message": {"n": 1}}, {"node": "late/c", "message": {"n": 2}})
    code, said = trans(home, "retry", "out/dead-letters.ndjson", "--app", "late")
    assert (code, said) == (3, "retried 2: 0 done, 2 set aside again\n")
    assert [(one["message"]["n"], one["error"]) for one in letters(home)] == [
        (1, "late/r: ValueError: at the end"),
        (2, "late/r: ValueError: at the end"),
    ]


def test_a_letter_of_a_transmission_that_is_called_stays(home):
    """What came of it would reach nobody, and that is said."""
    write_letters(home, {"node": "there/c", "message": {"n": 1}})
    code, said = trans(home, "retry", "out/dead-letters.ndjson", "--app", "calls")
    assert code == 3
    assert "'there/c' stands in a transmission that others call" in said
    assert said.endswith("retried 0: 0 done, 1 cannot be tried\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_retry_loses_and_doubles_nothing(home, number, code):
    """After Ctrl-C what was done is taken out, the letter at hand too, and the rest stays; a kill leaves the file as it was."""
    many = [{"node": "notes/check", "message": {"n": n, "marks": 1}} for n in range(40)]
    write_letters(home, *many)
    process = start(home, "retry", "out/dead-letters.ndjson", "--app", "notes", "--set", "check.wait=0.1")
    out = home / "out"
    assert eventually(lambda: [*out.glob(".out.ndjson*.tmp"), *out.glob("out.ndjson")], 60)
    time.sleep(0.5)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == code
    left = [one["message"]["n"] for one in letters(home)]
    done = [n for n, _ in written(home)] if number == signal.SIGINT else []
    assert sorted([*left, *done]) == list(range(40))
    assert len(left) == 40 if number == signal.SIGKILL else 0 < len(left) < 40


def test_what_looks_like_a_credential_is_not_kept(home):
    """The record beside the output says that there was one, and a retry asks for it."""
    trans(home, "notes", "-o", "out", "--set", "check.field=https://joe:hunter22@example.org/")
    record = (home / "out/.transmissions").read_text()
    assert "hunter22" not in record
    code, said = trans(home, "retry", "out/dead-letters.ndjson")
    assert code == 2
    assert "the run was given check.field, which is not kept anywhere; give it again with --set" in said


def test_without_a_record_the_app_is_asked_for(home):
    """A file that lies alone does not say where it is from; a missing file is a fault of usage, too."""
    write_letters(home, {"node": "notes/check", "message": {"n": 1}})
    code, said = trans(home, "retry", "out/dead-letters.ndjson")
    assert (code, "name the app with --app" in said) == (2, True)
    assert trans(home, "retry", "nowhere.ndjson")[0] == 2

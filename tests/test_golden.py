"""`trans test`: golden tests beside an app."""

import json

import pytest
from calling import trans

PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n"
APP = """
:app a :EntryTransmission ; :argument [ :name "word" ; :default "none" ] ; :pipe ( :say :write ) .
:say a :Templater ; :template "{{ word }} {{ name }}" .
:write a :FileWriter ; :destinationFile "said.txt" .
"""


@pytest.fixture
def home(tmp_path):
    """Give a home with an app that writes a file."""
    (tmp_path / "apps/app/test").mkdir(parents=True)
    (tmp_path / "apps/app/transmissions.ttl").write_text(PREFIX + APP)
    return tmp_path


def given(home, **files):
    """Write files of a test: the name's underscores are dots."""
    for name, value in files.items():
        text = value if isinstance(value, str) else json.dumps(value)
        (home / "apps/app/test" / name.replace("_", ".")).write_text(text)


def trans_test(home, *words):
    """Run `trans test` and return its exit code and what it said."""
    result = trans(home, "test", *words)
    return result.returncode, result.stdout + result.stderr


def test_what_was_recorded_holds(home):
    """Messages and files are written by --record, and nothing but the tests' own files."""
    given(home, a_in_json='{"name": "Ada"}\n{"name": "Bob"}\n')
    assert trans_test(home, "app", "--record") == (0, "app/a: recorded\n1 ok\n")
    folder = home / "apps/app/test"
    assert [one["content"] for one in json.loads((folder / "a.out.json").read_text())] == ["none Ada", "none Bob"]
    assert (folder / "a.out/said.txt").read_text() == "none Bob"
    assert trans_test(home) == (0, "app/a: ok\n1 ok\n")
    assert not (home / "apps/app/data").exists()


def test_what_was_recorded_holds_in_another_place(home):
    """The app's own folder is not part of what is recorded."""
    given(home, a_in_json={"name": "Ada"})
    file = home / "apps/app/transmissions.ttl"
    file.write_text(file.read_text().replace(":write )", ':write [ a :FileReader ; :sourceFile "about.md" ] )'))
    (home / "apps/app/about.md").write_text("An app.")
    assert trans_test(home, "--record") == (0, "app/a: recorded\n1 ok\n")
    assert str(home) not in (home / "apps/app/test/a.out.json").read_text()
    (home / "apps").rename(home / "moved")
    assert trans_test(home, "moved/app") == (0, "app/a: ok\n1 ok\n")


def test_a_difference_is_shown(home):
    """In the messages and in the files; the exit code is 1."""
    given(home, a_in_json={"name": "Ada"})
    trans_test(home, "--record")
    given(home, a_in_json={"name": "Eve"})
    (home / "apps/app/test/a.out/other.txt").write_text("x")
    code, told = trans_test(home)
    assert code == 1
    for line in ('-    "content": "none Ada",', '+    "content": "none Eve",', "a.out/other.txt: not written", "+none Eve"):
        assert f"{line}\n" in told
    assert told.endswith("1 test, 1 failed\n")


def test_what_is_not_the_same_each_time_can_be_left_open(home):
    """A `…` stands for any value or any part of a text, in files too, and stays when it is recorded again."""
    given(home, a_in_json={"name": "Ada", "number": 5})
    trans_test(home, "--record")
    given(home, a_out_json=[{"content": "…Ada", "name": "Ada", "word": "none", "number": "…"}])
    (home / "apps/app/test/a.out/said.txt").write_text("none …")
    assert trans_test(home) == (0, "app/a: ok\n1 ok\n")
    assert trans_test(home, "--record") == (0, "app/a: as it was\n1 ok\n")
    assert json.loads((home / "apps/app/test/a.out.json").read_text())[0]["number"] == "…"


def test_a_test_may_say_how_it_is_run(home):
    """With arguments, a target and settings."""
    arguments = {"arguments": ["hello"], "set": {"say.template": "<{{ word }}>"}}
    given(home, a_in_json={}, a_args_json=arguments, a_out_json=[{"word": "hello", "content": "<hello>"}])
    assert trans_test(home) == (0, "app/a: ok\n1 ok\n")


@pytest.mark.parametrize(
    ("files", "words", "code", "sentence"),
    [
        ({}, ["app"], 2, "no tests in"),
        ({}, [], 2, "none of app has a test/NAME.in.json"),
        ({"a_in_json": "{,"}, [], 2, "a.in.json:1:2: not JSON"),
        ({"a_in_json": "[" * 20_000}, [], 2, "a.in.json: JSON that cannot be read: it is nested too deep"),
        ({"a_in_json": "[1]"}, [], 2, "a message is a JSON object"),
        ({"a_in_json": {}, "a_args_json": {"argument": []}}, [], 2, "there is no 'argument'; did you mean 'arguments'?"),
        ({"a_in_json": {}, "a_args_json": {"set": {"say.templat": 1}}}, [], 2, "did you mean `:template`?"),
        ({"a_in_json": {"name": "x"}}, [], 1, "there is no a.out.json to compare with"),
        ({"a_in_json": {}, "a_args_json": {"set": {"say.template": "{{ 1 / 0 }}"}}}, [], 1, "app/say: "),
    ],
)
def test_what_cannot_be_compared_is_told(home, files, words, code, sentence):
    """No tests and faulty ones are exit code 2, a run that fails is 1."""
    given(home, **files)
    result = trans_test(home, *words)
    assert (result[0], sentence in result[1]) == (code, True), result[1]


def test_a_faulty_app_keeps_no_other_from_its_tests(home):
    """It is told what is wrong with it, the tests behind it are run, and the exit code is 2."""
    given(
        home,
        a_in_json={},
        a_args_json={"set": {"say.templat": 1}},
        b_in_json={"name": "Ada"},
        b_out_json=[{"word": "x"}],
        c_in_json="{",
    )
    code, told = trans_test(home)
    assert code == 2
    assert [line for line in told.splitlines() if line.startswith(("app/", "3 tests"))] == [
        "app/a: not run",
        "app/b: differs",
        "app/c: not run",
        "3 tests, 1 failed, 2 not run",
    ]
    assert "did you mean `:template`?" in told

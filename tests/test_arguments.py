"""The words behind an app's name: messages, declared arguments, what is wrong with them."""

import io

import pytest

from transmissions.arguments import interpret, read_messages
from transmissions.errors import UsageError
from transmissions.plan import Argument, Plan

FILES = Argument("files", "Path", "sourceFile", many=True)
QUERY = Argument("query", "Text", "query", required=True, help="what to look for")
LIMIT = Argument("limit", "Text", "limit", default="10")


def given(arguments, words=(), command=None, messages=None):
    """Interpret words for an app that declares some arguments."""
    plan = Plan("demo", "/apps/demo", (), (), arguments=tuple(arguments))
    return interpret(plan, words, command, messages or [{}])


def test_without_m_there_is_one_empty_message():
    """A run begins with one empty message unless told otherwise."""
    assert read_messages(None) == [{}]


def test_m_takes_an_object_a_list_a_file_and_standard_input(tmp_path, monkeypatch):
    """`-m` takes JSON, `@FILE` and `@-`; a list stands for several messages."""
    (tmp_path / "m.json").write_text('[{"a": 1}, {"a": 2}]')
    monkeypatch.setattr("sys.stdin", io.StringIO('{"a": 3}'))
    assert read_messages('{"a": 0}') == [{"a": 0}]
    assert read_messages(f"@{tmp_path}/m.json") == [{"a": 1}, {"a": 2}]
    assert read_messages("@-") == [{"a": 3}]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{'a': 1}", "-m:1:2: not JSON: expecting property name enclosed in double quotes"),
        ("[1]", "-m: a message is a JSON object"),
        ("[]", "-m: a message is a JSON object"),
        ("@missing.json", "cannot read 'missing.json': No such file or directory"),
    ],
)
def test_what_is_wrong_with_m_is_said(text, sentence):
    """A faulty `-m` is named with line and column where it has them."""
    with pytest.raises(UsageError) as error:
        read_messages(text)
    assert str(error.value) == sentence


def test_many_files_make_a_message_each_and_may_be_read(tmp_path):
    """Each file of an argument that takes many makes a message, and all of them are roots of the run."""
    for name in "ab":
        (tmp_path / name).touch()
    found = given([FILES], [str(tmp_path / "a"), str(tmp_path / "b")], messages=[{"x": 1}])
    assert found.messages == [{"x": 1, "sourceFile": str(tmp_path / name)} for name in "ab"]
    assert found.roots == (tmp_path / "a", tmp_path / "b")


def test_many_leaves_words_for_those_behind_it(tmp_path):
    """An argument that takes many does not take what the ones behind it need."""
    (tmp_path / "a").touch()
    found = given([FILES, QUERY], [str(tmp_path / "a"), str(tmp_path / "a"), "needle"])
    assert [message["query"] for message in found.messages] == ["needle", "needle"]


def test_a_default_path_lies_in_the_app():
    """A default of kind Path is looked up in the app's folder, whatever the working directory is."""
    assert given([Argument("input", "Path", "input", default="data/x.json")]).messages == [{"input": "/apps/demo/data/x.json"}]


def test_words_win_over_m_and_m_over_defaults():
    """A word on the command line beats the same field in `-m`, which beats the default."""
    assert given([LIMIT], ["5"], messages=[{"limit": "7"}]).messages == [{"limit": "5"}]
    assert given([LIMIT], messages=[{"limit": "7"}]).messages == [{"limit": "7"}]
    assert given([LIMIT]).messages == [{"limit": "10"}]


def test_a_command_is_what_stands_behind_the_dashes():
    """What stands behind `--` arrives as a list, options and all."""
    command = Argument("command", "Command", "command", required=True)
    assert given([command], command=["ls", "-l", "--"]).messages == [{"command": ["ls", "-l", "--"]}]


@pytest.mark.parametrize(
    ("arguments", "words", "command", "sentence"),
    [
        ([QUERY], [], None, "app 'demo' needs an argument: query (what to look for)"),
        ([QUERY], ["a", "b"], None, "'b' is one word too many: app 'demo' takes query"),
        ([], ["a"], None, "'a' is one word too many: app 'demo' takes no arguments"),
        ([FILES], ["/no/such"], None, "no file or folder '/no/such' (files)"),
        ([Argument("page", "URL", "url")], ["file:///etc/passwd"], None, "'file:///etc/passwd' is no URL (page)"),
        ([], [], ["ls"], "app 'demo' takes no command behind `--`"),
        ([Argument("c", "Command", "c", required=True)], [], None, "app 'demo' needs a command: trans run demo … -- COMMAND"),
    ],
)
def test_what_is_wrong_with_words_is_said(arguments, words, command, sentence):
    """Missing, surplus and wrong words are named with what the app takes."""
    with pytest.raises(UsageError) as error:
        given(arguments, words, command)
    assert str(error.value).startswith(sentence)

"""The words behind an app's name: declared arguments, and what is wrong with them."""

import pytest

from transmissions.arguments import bind
from transmissions.errors import UsageError
from transmissions.plan import Argument, Plan

FILES = Argument("files", "Path", "sourceFile", many=True)
QUERY = Argument("query", "Text", "query", required=True, help="what to look for")
LIMIT = Argument("limit", "Text", "limit", default="10")
PAGE = Argument("page", "URL", "url")
COMMAND = Argument("command", "Command", "command", required=True)


def bound(arguments, words=(), **more):
    """Bind words for an app that declares some arguments."""
    return bind(Plan("demo", "/apps/demo", (), (), arguments=tuple(arguments)), words, **more)


def test_many_files_make_a_message_each_and_may_be_read(tmp_path):
    """Each file makes a message, relative ones are looked up, and all of them are roots of the run."""
    for name in "ab":
        (tmp_path / name).touch()
    found = bound([FILES], ["a", str(tmp_path / "b")], cwd=tmp_path)
    assert found.messages == [{"sourceFile": str(tmp_path / name)} for name in "ab"]
    assert found.roots == (tmp_path / "a", tmp_path / "b")


def test_an_argument_of_many_leaves_words_for_those_behind(tmp_path):
    """The last word goes to the last argument."""
    (tmp_path / "a").touch()
    assert bound([FILES, QUERY], ["a", "a", "q"], cwd=tmp_path).messages[1] == {"sourceFile": str(tmp_path / "a"), "query": "q"}


def test_words_that_belong_together_are_one_message(tmp_path):
    """Its field is their list; a default is a list of one; files may be read all the same."""
    urls = PAGE._replace(many=True, together=True, default="http://c")
    assert bound([urls], ["http://a", "http://b"]).messages == [{"url": ["http://a", "http://b"]}]
    assert bound([urls]).messages == [{"url": ["http://c"]}]
    (tmp_path / "a").touch()
    found = bound([FILES._replace(together=True)], ["a"], cwd=tmp_path)
    assert (found.messages, found.roots) == ([{"sourceFile": [str(tmp_path / "a")]}], (tmp_path / "a",))


def test_defaults_lie_in_the_app_and_give_way_to_what_is_known():
    """A relative default is the app's; a field the message has already is left alone."""
    here = Argument("file", "Path", "f", default="data/x")
    assert bound([here, LIMIT]).messages == [{"f": "/apps/demo/data/x", "limit": "10"}]
    assert bound([LIMIT, QUERY], known={"limit", "query"}).messages == [{}]


def test_a_command_is_everything_behind_two_dashes():
    """The words of a command stay apart."""
    assert bound([LIMIT, COMMAND], ["5", "--", "ls", "-l"]).messages == [{"limit": "5", "command": ["ls", "-l"]}]


@pytest.mark.parametrize(
    ("arguments", "words", "sentence"),
    [
        ([QUERY], [], "app 'demo' needs an argument: query (what to look for)"),
        ([LIMIT], ["1", "2"], "'2' is one word too many: app 'demo' takes limit"),
        ([], ["1"], "'1' is one word too many: app 'demo' takes no arguments"),
        (
            [COMMAND],
            ["make"],
            "'make' is one word too many: app 'demo' takes no arguments in front of `--`; a command: trans run demo -- make …",
        ),
        ([FILES], ["missing"], "no file or folder 'missing' (files)"),
        ([FILES], [""], "no file or folder '' (files)"),
        ([PAGE], ["x"], "'x' is no URL (page); it must begin with http:// or https://"),
        ([COMMAND], [], "app 'demo' needs a command: trans run demo … -- COMMAND"),
        ([], ["--", "ls"], "app 'demo' takes no command behind `--`"),
    ],
)
def test_what_is_wrong_is_said(arguments, words, sentence):
    """A word that is missing, left over or not what was declared is named."""
    with pytest.raises(UsageError) as error:
        bound(arguments, words)
    assert str(error.value) == sentence

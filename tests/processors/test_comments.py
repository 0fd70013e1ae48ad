"""CommentStripper."""

import pytest

from transmissions import RunError
from transmissions.processors.comments import CommentStripper, strip_comments


@pytest.mark.parametrize(
    ("language", "text", "stripped"),
    [
        ("c", 'int a; // x\n/* y\n z */\nchar *s = "// no /*"; /* b */ int c;', 'int a;\nchar *s = "// no /*";   int c;'),
        ("c", "f('\\'', '\"'); // it's\nlet s = r#\"a\"//\"#;", "f('\\'', '\"');\nlet s = r#\"a\"//\"#;"),
        ("c", "a/**/b /* never closed\n c", "a b"),
        ("javascript", "x = `a // ${b} /*`; // c\nu = 'http://a'; // d", "x = `a // ${b} /*`;\nu = 'http://a';"),
        ("javascript", "r = /[/*]\"/.test(s); // c\nq = a / b; // d\n/'/.x // e", "r = /[/*]\"/.test(s);\nq = a / b;\n/'/.x"),
        ("css", "a { b: url(http://x) } /* c */\n", "a { b: url(http://x) }\n"),
        (
            "python",
            "#!/bin/py\n# a\nx = '#' # b\n'''# c\n# d'''\ny = \"\\\"#\"#e",
            "#!/bin/py\nx = '#'\n'''# c\n# d'''\ny = \"\\\"#\"",
        ),
        ("shell", "a=${b#c} # d\necho '#\n#' \\# \"#\" $# ;# e", "a=${b#c}\necho '#\n#' \\# \"#\" $# ;"),
        ("yaml", "a: b#c # d\nit's: '# e' # don't", "a: b#c\nit's: '# e'"),
        ("toml", "a = '\\' # b\nc = \"#\"", "a = '\\'\nc = \"#\""),
        (
            "turtle",
            '@prefix : <http://a#> . # b\n:a :b """#\n""" , "#" . #',
            '@prefix : <http://a#> .\n:a :b """#\n""" , "#" .',
        ),
        ("sql", "SELECT '--', 'it''s -- x' -- y\nFROM \"a--\" /* z */ b", "SELECT '--', 'it''s -- x'\nFROM \"a--\"   b"),
        (
            "html",
            "<p>a<!-- b\n --></p>\n  <!-- c -->\r\n<script>'<!-- d -->'</script>",
            "<p>a </p>\n<script>'<!-- d -->'</script>",
        ),
    ],
)
def test_comments_go_and_all_else_stays(language, text, stripped):
    """Strings, expressions, IRIs and scripts are left alone, whatever they hold; empty lines close up."""
    assert strip_comments(text, language) == stripped


OPENINGS = ["/*", '"', "'", "`", '\\"', '"""', "<!--", "<script", "= /[", 'r#"', "#", " ", "\ufffd<", "\t\n"]


@pytest.mark.parametrize("language", ["c", "javascript", "css", "python", "shell", "yaml", "toml", "turtle", "sql", "html"])
def test_hostile_text_is_worked_through_in_one_pass(language):
    """What opens again and again and is never closed takes time in proportion to its length."""
    for piece in OPENINGS:
        assert len(strip_comments(piece * (60_000 // len(piece)) + "x#", language)) <= 60_003


def test_the_language_is_told_by_the_name_of_the_file(bench):
    """A file that is not known stays as it is; a setting wins, and the result may go elsewhere."""
    messages = [{"content": "a // b", "filepath": path} for path in ("x/a.JS", "a.txt", "Makefile")]
    assert [message["content"] for message in bench.through(CommentStripper(), *messages)] == ["a", "a // b", "a // b"]
    step = CommentStripper(language="python", input_field="x.y", output_field="z")
    assert bench.through(step, {"x": {"y": "a # b"}})[0]["z"] == "a"
    with pytest.raises(RunError, match="'content' is not text but a dict"):
        bench.through(CommentStripper(), {"content": {}})

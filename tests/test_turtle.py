"""The gate: what is read, what is refused, and how a syntax error is explained."""

from __future__ import annotations

import hashlib
import os

import pytest

from transmissions import turtle
from transmissions.errors import ConfigError
from transmissions.lexer import cut
from transmissions.turtle import Document

HEAD = "@prefix : <http://example.org/> .\n"
LIST = HEAD + ":a :p "


def refusal(text, name="a.ttl"):
    """Return the one problem for which a text is refused."""
    with pytest.raises(ConfigError) as caught:
        turtle.check_syntax(Document(name, text))
    (problem,) = caught.value.problems
    return problem


def marked(problem):
    """Return the text that stands over the caret."""
    span = problem.span
    return span.text[span.column - 1 :][: span.width]


def test_lines_end_as_editors_end_them():
    """Line feeds, carriage returns and both together each end one line; no other character does."""
    document = Document("a.ttl", "one\r\ntwo\rthree\nfo\u2028ur")
    assert [document.locate(document.text.index(word)) for word in ("one", "two", "three", "ur")] == [
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 4),
    ]
    assert document.line(4) == "fo\u2028ur"


def test_a_span_is_cut_at_the_end_of_its_first_line():
    """A stretch over several lines is marked on its first line only, and one at the end of the text is still seen."""
    document = Document("a.ttl", "ab\ncd")
    assert document.span(1, 5)[1:] == (1, 2, 1, "ab")
    assert document.span(5, 5)[1:] == (2, 3, 1, "cd")


def test_a_file_is_read_with_its_digest(tmp_path):
    """The digest is that of the bytes; a byte order mark is not part of the text."""
    file = tmp_path / "a.ttl"
    file.write_bytes(b"\xef\xbb\xbf<a> <b> <c> .")
    document = turtle.read(file, "short.ttl")
    assert (document.name, document.text) == ("short.ttl", "<a> <b> <c> .")
    assert document.digest == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_byte_that_is_not_utf_8_is_located(tmp_path):
    """The problem names line, column and value of the first bad byte, counted in characters."""
    file = tmp_path / "a.ttl"
    file.write_bytes('<é> <b>\n"ü'.encode() + b'\xe4" .')
    with pytest.raises(ConfigError) as caught:
        turtle.read(file)
    (problem,) = caught.value.problems
    assert problem.code == "encoding"
    assert problem.span.where == (str(file), 2, 3)
    assert "0xe4" in problem.message


def test_what_is_no_readable_file_is_named(tmp_path):
    """A missing file, a folder, a pipe and a file beyond 1 MiB are problems with the file's name."""
    (tmp_path / "large.ttl").write_bytes(b" " * (turtle.MAX_BYTES + 1))
    os.mkfifo(tmp_path / "pipe.ttl")
    found = {}
    for name in ("none.ttl", ".", "pipe.ttl", "large.ttl"):
        with pytest.raises(ConfigError) as caught:
            turtle.read(tmp_path / name, name)
        found[name] = (caught.value.problems[0].code, caught.value.problems[0].span.file)
    codes = {"none.ttl": "missing-file", ".": "unreadable", "pipe.ttl": "unreadable", "large.ttl": "limit"}
    assert found == {name: (code, name) for name, code in codes.items()}


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        pytest.param(LIST + "[ :p " * 65 + "] " * 65 + ".", "64 levels", id="nesting"),
        pytest.param(LIST + "(" * 500_000, "64 levels", id="deep and broken"),
        pytest.param("".join(f"@prefix p{n}: <http://p/{n}> .\n" for n in range(16_000)), "256 prefixes", id="prefixes"),
        pytest.param(f'{LIST} "{"x" * 70_000}" .', "65,536 characters", id="text"),
        pytest.param(LIST + '"' + r"\n" * 400_000 + '" .', "65,536 characters", id="escapes"),
        pytest.param(f"{LIST} <http://e/{'../' * 300_000}> .", "2,048 characters", id="iri"),
        pytest.param(f"{LIST} {'9' * 5000} .", "4,300 digits", id="digits"),
        pytest.param(LIST + f":{'b' * 3000} .", "2,048 characters", id="name"),
        pytest.param(LIST + f"_:{'b' * 3000} .", "2,048 characters", id="blank node"),
        pytest.param(LIST + ":b, " * 30_000 + ":c .", "20,000 triples", id="triples"),
        pytest.param(LIST + ":b " + ";" * 300_000 + ".", "200,000 terms", id="semicolons"),
        pytest.param(LIST + "<< " * 300_000, "200,000 terms", id="triple terms"),
    ],
)
def test_a_hostile_text_is_refused_at_a_limit(text, limit):
    """A text made to keep a parser busy is refused, and the sentence names the limit."""
    problem = refusal(text)
    assert problem.code == "limit"
    assert limit in problem.message
    assert problem.span is not None


@pytest.mark.parametrize(
    ("text", "at", "sentence", "help_"),
    [
        (LIST + "ex:b .", "ex:b", "the prefix `ex:` is not declared", "declare it at the top: `@prefix ex: <…> .`"),
        (LIST + '"1"^^xsd:int .', "xsd:int", "`xsd:` is not declared", "`@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .`"),
        (":a :b :c .", ":a", "`:` is not declared", "<http://purl.org/stuff/transmissions/>"),
        ("@prefix tool: <http://t/> .\ntol:a a tool:B .", "tol:a", "`tol:` is not declared", "did you mean `tool:`?"),
        (LIST + "[ :b :c .", " ", "`[` is not closed before `.`", ""),
        (LIST + "( :b :c", "", "`(` is never closed", ""),
        (LIST + ":b ] .", "]", "`]` closes nothing", ""),
        (LIST + ".", ".", "a value is expected here, not `.`", ""),
        (LIST + ':b ; "x" :c .', '"x"', 'a property is expected here, not `"x"`', ""),
        (LIST + ":b\n:c :d :e .", "", "the statement before `:c` has no end", "end the statement with `.`"),
        ("@prefix : <http://e/>\n:a :b :c .", "", "this prefix has no end", ""),
        (LIST + ":b", "", "the file ends inside a statement", ""),
        (LIST + '"open .\n:b :c :d .', '"open .', "this text is never closed", '"""'),
        (LIST + '"""open .\n:b :c :d .', '"""open .', "this text is never closed", ""),
        (LIST + r'"a\qb" .', r"\q", r"`\q` is not an escape of Turtle", r"write `\\` for a backslash"),
        (LIST + "<http://a b> .", "<http://a b>", "this is not a valid IRI", "%20"),
        (LIST + "? .", "?", "`?` cannot stand here", ""),
        (LIST + "ture .", "ture", "`ture` is not a term of Turtle", "did you mean `true`?"),
        ("@prefex : <http://e/> .", "@prefex", "`@prefex` is not a term of Turtle", "did you mean `@prefix`?"),
        (LIST + "<< :s :p :o >> .", "<", "RDF 1.2", ""),
        (LIST + "“text” .", "“", "`“` does not begin any term", 'a text stands between straight quotes: "…"'),
        (LIST + ":b .\n// a remark", "/", "`/` does not begin any term", "a comment begins with `#`"),
        (LIST + "( :b , :c ) .", ",", "a `,` cannot stand in a list", "members stand beside each other: `( :first :second )`"),
        (LIST + "[ :b :c :d ] .", " ", "a `;` or a closing bracket is missing", "`( … )` is a list"),
        ("@prefix <http://e/> .", "<http://e/>", "a prefix is declared as `@prefix name: <iri> .`", ""),
        ("@prefix : <http://e/>\n@prefix b: <http://b/> .", "", "this prefix has no end", ""),
        (LIST + ":b , :q 2 .", ",", "`:q` is a property here: put `;` in the place of this `,`", "another value of the same"),
        (LIST + ":b , :q :r .", ",", "`:q` is a property here: put `;` in the place of this `,`", ""),
        (LIST + ":b , :c\n:d :e :f .", "", "the statement before `:d` has no end", "end the statement with `.`"),
        (LIST + "'it's so' .", "'", "the text ends at this quote", r"write \' for one inside it"),
        (LIST + '"say "{{ x }}"" .', '"', "the text ends at this quote", r"write \" for one inside it"),
        ("PREFIX : <http://e/> .", ".", "behind `PREFIX` stands no `.`", "`@prefix`"),
        (LIST + ":b/c .", "/", "`/` does not begin any term", ""),
        (LIST + "2\u00a0.", "\u00a0", "does not begin any term", "an invisible character: delete it, or write a plain space"),
        (LIST + "2 .\n:a is :B .", "is", "`is` is not a term of Turtle", "did you mean `a`?"),
        (LIST + "2 .\n:a b :c .", "b", "`b` is not a term of Turtle", "write a name with its prefix: `:b`"),
        (
            LIST + "( :b -> :c ) .",
            "-",
            "a `->` cannot stand in a list",
            "members stand beside each other: `( :first :second )`",
        ),
        (LIST + "= 2 .", "=", "a value is expected here, not `=`", "the value stands right behind its property"),
        ("@prefix ex <http://e/> .", "ex", "`ex` is not a term of Turtle", "a prefix is declared as `@prefix ex: <iri> .`"),
        (LIST + "2s .", "2s", "`2s` is no number", 'a number stands without its unit, a text in quotes: "2s"'),
        (
            "@prefix : <http://e/> . :a :Shout ; :b 2 .",
            ";",
            "a value is expected here",
            "write `:a a :Shout` if that is",
        ),
    ],
)
def test_a_syntax_error_is_explained_where_it_is(text, at, sentence, help_):
    """Each fault is said in a sentence of our own at its characters, with the mend where one is known."""
    problem = refusal(text)
    assert sentence in problem.message
    assert marked(problem) == at
    assert help_ in problem.help


@pytest.mark.parametrize("before", ['"é日😀"', '"""two\nlines é"""', '"tab\t"', "'\\u00e9'"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_columns_count_characters(before, end):
    """The caret stands right behind text that is not ASCII, runs over lines, or has other line ends."""
    text = f"{LIST}{before} , ex:b .".replace("\n", end)
    assert marked(refusal(text)) == "ex:b"


def test_an_open_bracket_is_shown_where_it_was_opened():
    """A missing bracket is a problem with a second place: the one that is open."""
    (label,) = refusal(f"{LIST} [ :q\n ( :b ] .").related
    assert label.text == "opened here"
    assert label.span.where == ("a.ttl", 3, 2)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (":a # \u00e9\n", ["name"]),
        ('"\u00e9" <\u00e9> :a', ["text", "iri", "name"]),
        (":caf\u00e9 \u00e9:\u00e9 _:\u00e9\u00b7 \u00e9", ["name", "name", "blank", "word"]),
        (":a\u00b7b \u00d7", ["name", "other"]),
    ],
)
def test_letters_of_all_scripts_make_names(text, kinds):
    """Whichever expression a text needs, its names are whole."""
    assert [lexeme.kind for lexeme in cut(text)] == kinds

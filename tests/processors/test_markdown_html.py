"""MarkdownToHTML and MarkdownBindingsToHTML."""

import pytest

from transmissions import RunError
from transmissions.processors.markdown_html import MarkdownBindingsToHTML, MarkdownToHTML


def html_of(bench, text, **settings):
    """Return the HTML of a text."""
    return bench.through(MarkdownToHTML(**settings), {"content": text})[0]["content"]


def test_markdown_becomes_html(bench):
    """CommonMark, tables, strikethrough and footnotes are known."""
    html = html_of(bench, "# A\n\n~~b~~ *c*[^1]\n\n|d|\n|-|\n|e|\n\n[^1]: Note\n")
    assert html.startswith("<h1>A</h1>\n<p><s>b</s> <em>c</em><sup")
    assert "<td>e</td>" in html
    assert '<li id="fn1" class="footnote-item"><p>Note ' in html


def test_html_in_markdown_is_text_unless_it_is_trusted(bench):
    """Neither tags nor links to scripts come through by default."""
    assert html_of(bench, "<b onclick=x>a</b> [c](javascript:d)") == "<p>&lt;b onclick=x&gt;a&lt;/b&gt; [c](javascript:d)</p>\n"
    assert html_of(bench, "<b>a</b>", raw_html=True) == "<p><b>a</b></p>\n"


def test_fields_are_chosen(bench):
    """The source may lie anywhere and stays in place."""
    step = MarkdownToHTML(source_field="a.text", output_field="a.html")
    assert bench.through(step, {"a": {"text": "*x*"}}) == [{"a": {"text": "*x*", "html": "<p><em>x</em></p>\n"}}]


def test_a_text_that_is_too_long_is_refused(bench):
    """The parser's memory grows with the text."""
    with pytest.raises(RunError, match="the field 'content' has 11 characters, more than :limit 10"):
        html_of(bench, "a" * 11, limit=10)


@pytest.mark.parametrize(
    "text", ["[" * 1_000_000, "[a](" * 50_000, "> " * 10_000, "*a " * 60_000, "\0\ud800", "[^1]: a\n" * 500]
)
def test_hostile_markdown_is_taken(bench, text):
    """A paragraph that nobody wrote by hand is shown as it is, and nothing nests without end."""
    assert "\ud800" not in html_of(bench, text)


def test_bindings_of_both_shapes_become_html(bench):
    """What SPARQL gives stays in its form, a variable that is not bound stays so, and the incoming list is not touched."""
    rows = [{"text": {"type": "literal", "value": "*a*"}}, {"text": "b"}, {"x": 1}]
    step = MarkdownBindingsToHTML(source_field="text", output_field="html")
    (message,) = bench.through(step, {"queryResults": rows})
    assert [row.get("html") for row in message["queryResults"]] == [
        {"type": "literal", "value": "<p><em>a</em></p>\n"},
        "<p>b</p>\n",
        None,
    ]
    assert "html" not in rows[0]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("a", "'queryResults' is not a list but a str"),
        ([1], r"'queryResults\[0\]' is not an object but a int"),
        ([{"content": {"value": 1}}], r"'queryResults\[0\].content' is neither text nor a binding"),
    ],
)
def test_what_is_no_binding_is_refused(bench, rows, fault):
    """The error names the place in the list."""
    with pytest.raises(RunError, match=fault):
        bench.through(MarkdownBindingsToHTML(), {"queryResults": rows})

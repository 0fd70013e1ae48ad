"""HTMLToMarkdown, and the tree of HTML below it."""

import pytest
from markdown_it import MarkdownIt

from transmissions import RunError, UsageError
from transmissions.processors.html_markdown import HTMLToMarkdown
from transmissions.processors.html_tree import DEEPEST, parse_html


def converted(bench, html, **settings):
    """Return the Markdown of a page at http://e.org/d/."""
    step = HTMLToMarkdown(input_field="page", **settings)
    return bench.through(step, {"page": html, "url": "http://e.org/d/"})[0]["content"]


CASES = {
    "a heading": ("<h2>A <b>b</b></h2>", "## A **b**"),
    "a setext heading below text": ("x<h1>A</h1>y", "x\n\n# A\n\ny"),
    "spaces around marks": ("a<b> b </b>c <i>d<br>e</i>", "a **b** c *d*\\\n*e*"),
    "a mark in itself": ("<b>a<strong>b</strong></b>", "**ab**"),
    "breaks": ("a<br>b<br><br>c", "a\\\nb\n\nc"),
    "text that looks like markup": ("<p># *a* [b]</p><p>1. x</p><p>- y</p>", "\\# \\*a\\* \\[b\\]\n\n1\\. x\n\n\\- y"),
    "a link": ('<a href="../x (1)">a <b>b</b></a>', "[a **b**](http://e.org/x%20%281%29)"),
    "a link to a script": ('<a href="java\nscript:x">a</a>', "a"),
    "a link around blocks": ('<a href="/x"><h3>T</h3><p>more</p></a>', "### [T](http://e.org/x)\n\nmore"),
    "an image": ('<img src=i.png alt="a]">', "![a\\]](http://e.org/d/i.png)"),
    "a base": ('<base href="http://o.org/"><a href=x>y</a>', "[y](http://o.org/x)"),
    "code": ("<code>a`b</code> <kbd>c</kbd>", "``a`b`` `c`"),
    "code with a language": ('<pre><code class="language-py">a\n  b```\n</code></pre>', "````py\na\n  b```\n````"),
    "a list": ("<ul><li>a<li>b<ol start=3><li>c<li value=9>d</ol></ul>", "- a\n- b\n\n  3. c\n  9. d"),
    "a list of paragraphs": ("<ul><li><p>a<p>b<li>c</ul>", "- a\n\n  b\n\n- c"),
    "a quotation": ("<blockquote>a<blockquote><p>b<p>c</blockquote></blockquote>", "> a\n>\n> > b\n> >\n> > c"),
    "a table": (
        "<table><caption>C<tr><th>A<th align=right>B|<tr><td colspan=2>x<br>y</table>",
        "C\n\n| A | B\\| |\n| --- | ---: |\n| x y |  |",
    ),
    "a table that arranges a page": ("<table><tr><td><ul><li>a</ul><td>b</table>", "- a\n\nb"),
    "an end tag of nothing in a cell": ("<div><table><tr><td>a</div>b<td>c</table>d</div>", "| ab | c |\n| --- | --- |\n\nd"),
    "end tags in a wrong order": ("<p><b>a<i>b</b>c</i> d", "**a*b***c d"),
    "what is not text": ("<script>a</script><style>b</style><!-- c --><svg><text>d</text></svg><iframe>e</iframe>f", "f"),
    "a block in a line": ("a <span>b<div>c</div></span> d", "a\n\nb\n\nc\n\nd"),
    "terms": ("<dl><dt>a<dd>b</dl>", "**a**\n\nb"),
}


@pytest.mark.parametrize(("html", "markdown"), CASES.values(), ids=CASES)
def test_a_page_becomes_markdown(bench, html, markdown):
    """Each kind of element has its form."""
    assert converted(bench, html) == f"{markdown}\n"


def test_what_selectors_match_is_left_out(bench):
    """Also inside a line, a list and what is left out already."""
    html = "<nav>a<nav>b</nav></nav><p>c<i class=ad>d</i></p><ul><li class=ad>e<li>f</ul>"
    assert converted(bench, html, clean_selectors=("nav", ".ad")) == "c\n\n- f\n"
    with pytest.raises(UsageError, match=r"'p\[' is not a CSS selector"):
        HTMLToMarkdown(clean_selectors=("p[",))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("<p>é</p>".encode(), "é\n"),
        (b"<meta charset=iso-8859-1>\xe9\x80", "é€\n"),
        (b"\xff\xfe" + "<p>ü".encode("utf-16-le"), "ü\n"),
        (b'<meta charset="hex">\xe9', "é\n"),
        (b'<meta charset="utf-16">a', "a\n"),
        ("<p>a\ud800\0b", "a\ufffdb\n"),
        ("", ""),
    ],
)
def test_bytes_are_read_as_they_declare(bench, data, text):
    """A mark or a declared charset counts, wrong ones and halves of characters do no harm."""
    assert converted(bench, data) == text


def test_one_selector_may_be_a_list(bench):
    """As in CSS, commas part its selectors."""
    assert converted(bench, "<nav>a</nav><i>b</i>c", clean_selectors=("nav, i",)) == "c\n"


def test_what_is_no_text_is_refused(bench):
    """A number, or no field at all, is an error that names the field."""
    with pytest.raises(RunError, match="'page' is neither text nor bytes but a int"):
        converted(bench, 1)
    with pytest.raises(RunError, match=r"no field 'http\.data'"):
        bench.through(HTMLToMarkdown(), {"http": {}})


HOSTILE = {
    "deep": "<div>" * 100_000 + "x",
    "deep and closed": "<div>" * 50_000 + "x" + "</div>" * 50_000,
    "open marks": "".join(f"<p><font color={n}>x" for n in range(5_000)),
    "lists": "<ul><li>" * 10_000 + "x",
    "quotations": "<blockquote>" * 10_000 + "x",
    "tables": "<table><tr><td>" * 10_000 + "x",
    "attributes": "<p " + "".join(f"a{n}=1 " for n in range(100_000)) + ">x",
    "an open quote": "x<a b='" * 10_001,
    "an open comment": "x" + "<!--" * 100_000,
    "open brackets": "x" + "<" * 100_000,
    "an open script": "x" + "<script>" * 10_000,
    "wide cells": "x<table>" + "<tr><td colspan=99999999>" * 1_000,
    "templates": "x" + "<template>" * 5_000,
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE)
def test_hostile_html_is_taken(bench, html):
    """Nothing of it fails, grows or goes deep, and the text in it is found."""
    tree = parse_html(html)
    assert len(tree.html or "") < 5 * len(html)
    text = converted(bench, html)
    assert "x" in text
    assert len(text) < 3 * len(html)


def test_a_tree_is_never_deep():
    """Elements that lie too deep are unwrapped; what is inside them stays."""
    tree = parse_html("<div>" * 1_000 + "<p>x</p>" + "</div>" * 1_000 + "<p>y")
    node, depth = tree.css("div")[-1], 0
    while node is not None:
        node, depth = node.parent, depth + 1
    assert depth < DEEPEST + 5
    assert tree.body.text() == "xy"


def test_the_markdown_means_what_the_page_said(bench):
    """A reader of Markdown finds the same elements again."""
    html = (
        "<h1>A</h1><ul><li>a<ul><li>b</ul><li>c</ul><blockquote><pre>x</pre></blockquote><p><em>d</em> <a href='/e'>f</a></p>"
    )
    again = MarkdownIt().render(converted(bench, html))
    assert converted(bench, again) == converted(bench, html)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transmissions.processors.html_text import html_to_markdown

TAGS = ("p", "ul", "li", "pre", "code", "table", "tr", "td", "script", "svg", "b", "i", "h2")
PIECES = st.sampled_from(
    [
        *(f"<{mark}{tag}>" for tag in TAGS for mark in ("", "/")),
        "<a href='https://x.example'>",
        "</a>",
        "<![x[",
        "<!--",
        "<br>",
        "text",
        " ",
        "\n",
        "`",
        "*",
        "&lt;script&gt;",
        "&#0;",
        "<",
    ]
)


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>One</p><p>Two<br>lines</p>", "One\n\nTwo\nlines"),
        ("<h2>Head</h2>text", "## Head\n\ntext"),
        ("<p>a <b>b</b> <em>c</em> <s>d</s></p>", "a **b** *c* ~~d~~"),
        ("<ul><li><p>a</p></li><li>b<ol start='3'><li>c</li><li>d</li></ol></li></ul>", "- a\n- b\n    3. c\n    4. d"),
        ('<pre><code class="language-c++">a &lt; b\n  c</code></pre>', "```c++\na < b\n  c\n```"),
        ("<pre>```\nx</pre>", "````\n```\nx\n````"),
        ("<code>a`b</code>", "``a`b``"),
        ("<a href='https://x.example/a'>A</a>", "[A](https://x.example/a)"),
        ("<a href='javascript:alert(1)'>A</a>", "A"),
        (
            "<table><tr><th>A</th><th>B|C</th></tr><tr><td>1</td><td>2<br>3</td></tr></table>",
            "| A | B\\|C |\n| --- | --- |\n| 1 | 2 3 |",
        ),
        ("a<script>alert('x')</script><style>p{}</style>b", "ab"),
        ("<svg><svg></svg><text>no</text></svg>yes", "yes"),
        ("a<!-- no -->b<!-- yes", "ab\\<!-- yes"),
        ("<ul></p><li>a", "- a"),
        ("a<![x[b]]>c", "a\\<![x[b]]>c"),
        ("2 * 3 &lt;b&gt; 1 &lt; 2", "2 \\* 3 \\<b> 1 < 2"),
        ("<code>&lt;b&gt;<code>", "`<b>`"),
        ("<code>&lt;b&gt;<code>c", "`<b>` `c`"),
        ("<code>a<p>&lt;b&gt;</code>", "`a <b>`"),
        ("<a href='https://x.example'><code>&lt;b&gt;</a>", "[`<b>`](https://x.example)"),
        ("<table><tr><td><code>&lt;b&gt;</td></tr></table>", "| `<b>` |\n| --- |"),
        ("<table><code><tr><td>&lt;b&gt;</td></code></tr></table>", "| \\<b> |\n| --- |"),
    ],
)
def test_html_becomes_markdown(html, markdown):
    """What a page shows is said in Markdown; what would run or be taken for marks is not."""
    assert html_to_markdown(html) == markdown


@given(st.lists(PIECES, max_size=40).map("".join))
def test_no_html_fails_or_leaves_a_tag_that_runs(html):
    """Whatever the HTML, there is text, and no script in it outside code."""
    text = html_to_markdown(html)
    assert "<script" not in text.replace("\\<script", "") or "`" in text


def test_many_open_tags_take_no_longer_than_few():
    """Tags that are never closed cost what they are long."""
    assert html_to_markdown("<a href='https://x.example'>x" * 20_000).startswith("[x]")
    assert html_to_markdown("<!--" * 200_000).count("!--") == 200_000
    assert html_to_markdown("a < b " + "<a " * 200_000).startswith("a < b \\<a")
    assert html_to_markdown("<svg>" + "<g>" * 50_000 + "</svg>end") == "end"

import re

import pytest
from pages import Looked, placed, rendered, said, talk

from transmissions.processors import html_prose
from transmissions.processors.flavour_html import HTMLPage
from transmissions.processors.html_pages import ConversationHTML
from transmissions.processors.html_prose import Prose, external, is_safe
from transmissions.processors.markdown import ConversationMarkdown

VECTORS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x) [y](file:///etc/passwd) [z](//evil.example/x) [w](/\\evil.example)",
    "<javascript:alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "<svg onload=alert(1)><a xlink:href='javascript:x'>",
    "<style>body{display:none}</style>",
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    "<base href=//evil.example/>",
    "<iframe srcdoc='<script>x</script>'>",
    '```x" onmouseover="alert(1)\n</code></pre><script>alert(1)</script>\n```',
    "    </code></pre><script>x</script>",
    '[x](http://a "t\ue0001\ue001 onmouseover=alert(1)")',
    "[x]: javascript:alert(1)\n\n[x]",
    "| a |\n|:-:|\n| <b onclick=x> |",
    "</main></body><form action=https://evil.example>",
    "<!-- <script> -->",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\0<script\0>\ud83d",
]
ELEMENTS = frozenset(
    "html head meta title style body main nav a h1 h2 h3 h4 h5 h6 dl dt dd div p b i ul ol li sup details summary pre "  # noqa: SIM905
    "code blockquote table thead tbody tr th td em strong s hr br img".split()
)
ATTRIBUTES = frozenset("charset http-equiv content name href rel dir class id download src alt loading".split())  # noqa: SIM905
EMPTY_ARTIFACT = {"command": "create", "key": "a", "title": "", "type": "", "language": "", "content": "", "old": "", "new": ""}


def page_of(bench, conversation, **settings):
    files, _ = rendered(bench, ConversationHTML(**settings), placed(conversation))
    return next(text for path, text in files.items() if path.startswith("claude/1 ") and path.endswith(".html"))


def everywhere(text):
    """Return a conversation that says a text wherever something can be said."""
    made = {
        "command": "create",
        "key": text,
        "title": text,
        "type": text,
        "language": text,
        "content": text,
        "old": "",
        "new": "",
    }
    blocks = [
        {"kind": "text", "text": text, "citations": [{"end": 3, "url": text, "title": text}]},
        {"kind": "thinking", "text": text, "summaries": [text]},
        {
            "kind": "tool",
            "name": text,
            "input": {text: f"{text}\n", "n": 1},
            "result": {"parts": [{"text": text}], "failed": True},
        },
        {
            "kind": "tool",
            "name": text,
            "input": text,
            "result": {"parts": [{"title": text, "url": text, "text": text}], "failed": 0},
        },
        {"kind": "artifact", "artifact": made},
        {"kind": "injected", "text": text, "source": text},
        {"kind": "event", "title": text, "text": text},
        {"kind": "file", "name": text, "id": text, "type": text},
        {"kind": "unknown", "type": text, "data": text},
    ]
    attached = {
        "attachments": [{"name": text, "type": text, "text": text}],
        "files": [{"name": text, "id": "", "content": b"x"}],
    }
    message = said(text, *blocks, created=text, name=text, **attached)
    more = {"sections": [{"title": text, "text": text}], "links": [{"relation": text, "id": text, "title": text}]}
    return talk({**message, "id": text}, provider=text, title=text, url=text, summary=text, created=text, updated=text, **more)


@pytest.mark.parametrize("text", VECTORS)
def test_nothing_anybody_wrote_comes_to_life(bench, text):
    """Whatever stands in a message, a title, a name or an address, a page has no element and no address of its making."""
    for settings in ({}, dict.fromkeys(["thinking", "tools", "artifacts", "attachments", "events"], "keep")):
        files, _ = rendered(bench, ConversationHTML(**settings), placed(everywhere(text)))
        page = next(data for path, data in files.items() if path.endswith(".html") and "<!doctype" in data)
        found = Looked(page)
        assert not set(found.elements) - ELEMENTS
        assert [found.elements.count(tag) for tag in ("meta", "style", "h1", "main")] == [4, 1, 1, 1]
        assert {name for _, name, _ in found.attributes} <= ATTRIBUTES
        assert all(is_safe(value) for _, name, value in found.attributes if name in ("href", "src"))
        assert all(tag == "img" and value.startswith("1/") for tag, name, value in found.attributes if name == "src")
        assert re.search(r"content=\"default-src 'none'; style-src 'sha256-[^;]+; img-src 'self' file:; base-uri 'none'", page)


def test_addresses_lead_to_pages_mailboxes_and_files_beside():
    """Only http, https, mailto and relative addresses are links, however they are written."""
    for url in ("http://a", "HTTPS://a/b:c", "mailto:a@b", "a/b.html", "./a", "#note-1", "?q=1:2", ""):
        assert is_safe(url)
    for url in (
        "javascript:x",
        " javascript:x",
        "java\tscript:x",
        "data:x",
        "//a",
        "\\\\a",
        "/\\a",
        "file:///a",
        "x:y",
        "\x01//a",
    ):
        assert not is_safe(url)


def test_what_is_no_address_is_no_link_out():
    """A word where a source, a citation or an image should have its address is shown, and leads nowhere."""
    for url in ("", "1", "n/a", "$HOME", "../../etc/passwd", "#tag", "javascript:x", "//a"):
        assert external(url, "shown") == "shown"
    assert external("HTTPS://a/?b&c", "shown").startswith('<a href="HTTPS://a/?b&amp;c" rel="noopener')


TEXTS = [
    "one\n\ntwo\n\n\n\nthree \n\n four",
    "a line\nand another",
    'say "x" > y & z\'s',
    "code:\n\n```python\nx < 1\n\n  y\n```\nafter",
    "```\nopen",
    "```a\n```\n~~~\n```\n~~~",
    "- a\n  ```\n  b\n  ```\n- c",
    "````\n```\n````",
    "```` x\ny\n`````\nz",
    "text\n```\na\n```   \nmore",
    "```\n\n```",
    "1. a\n2. b",
    "> q\n```\na\n```",
    "a  \nb",
    "a\n    b",
    "[x]: http://a\n\n[x]",
    "# h\n\ntext",
    "tab\tin it",
    "",
    "\n\n",
    "```c++ title=x\na\n```",
    "``` &amp;\na\n```",
    "a\n===",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_short_way_gives_what_the_parser_gives(text):
    """Plain paragraphs and code blocks, that do not pass the parser, come out as if they had."""
    prose = Prose()
    parsed = prose._parser.render(text, {"shift": 2})
    assert re.sub(r"\n+", "\n", prose.render(text, 2)).strip() == re.sub(r"\n+", "\n", parsed).strip()


def test_a_long_text_is_parsed_piece_by_piece(monkeypatch):
    """A text in pieces becomes what it becomes as a whole; a long piece without paragraphs is shown as it is."""
    prose, taken = Prose(), []
    text = "*a* b\n\n- one\n\n- two\n\n  more\n\n# h\n\n1. x\n\n2. y\n\n    code\n\n> q\n\n> r\n\n**end**\n\nlast" * 9
    whole = prose.render(text, 2)
    monkeypatch.setattr(html_prose, "LONG", 100)
    parse = prose._parser.render
    monkeypatch.setattr(prose._parser, "render", lambda piece, env: taken.append(piece) or parse(piece, env))
    assert prose.render(text, 2) == whole
    assert len(taken) == 9
    assert "".join(taken).strip() == text
    assert prose.render("<*> \n" * 30, 2) == "<pre><code>" + "&lt;*&gt; \n" * 29 + "&lt;*&gt; </code></pre>"


def test_a_page_stands_beside_the_markdown_page(bench):
    """Both pages link to the same files, which are written once; the account is the first renderer's."""
    message = said("human", "Hi", attachments=[{"name": "a.txt", "type": "", "text": "TEXT"}])
    (first,) = bench.through(ConversationMarkdown(attachments="drop"), placed(talk(message)))
    (both,) = bench.through(ConversationHTML(), first)
    assert [path for path, _ in both["files"]] == ["claude/1 A talk.md", "claude/1 A talk.html", "claude/1/attachments/a.txt"]
    assert both["account"]["became"]["attachment"] == {"skipped: dropped by setting": 1}
    (both,) = bench.through(ConversationHTML(), *bench.through(ConversationMarkdown(), placed(talk(message))))
    assert [path.rpartition(".")[2] for path, _ in both["files"]] == ["md", "txt", "html"]
    (alone,) = bench.through(ConversationHTML(), placed(talk(message)))
    assert alone["account"]["became"]["message"] == {"rendered": 1}
    assert alone["facts"]["attachments"] == 1


def test_a_page_shows_what_was_said(bench):
    """Markdown is shown as what it means, headings below the page's own, footnotes where they are spoken of."""
    cited = {
        "kind": "text",
        "text": "one two\nthree *four*",
        "citations": [{"end": 2, "url": "https://example.org/", "title": "T"}],
    }
    page = page_of(bench, talk(said("human", "# Big\n\n| a |\n|---|\n| 1 |\n\n~~gone~~", cited), summary="*Short*"))
    assert '<h2 id="msg-m1">Human</h2>' in page
    assert "<h3>Big</h3>" in page
    assert "<td>1</td>" in page
    assert '<p>one two<sup><a href="#note-1">1</a></sup>\nthree <em>four</em></p>' in page
    assert '<p class="note" id="note-1"><sup>1</sup> T <a href="https://example.org/" rel=' in page
    assert '<blockquote dir="auto"><p><em>Short</em></p></blockquote>' in page
    assert '<a href="../index.html">All conversations</a>' in page


def test_the_head_of_a_page_has_its_tags(bench):
    """Folders and tags of an app are told with the rest of what is known of a conversation."""
    assert "<dt>Tags</dt><dd>kites, wind</dd>" in page_of(bench, talk(said("human", "a"), tags=["kites", "wind"]))


def test_what_a_browser_would_run_is_downloaded(bench):
    """A link to an artifact that is a web page offers to save it; one to a picture shows it."""
    made = {
        "command": "create",
        "key": "a",
        "title": "A",
        "type": "text/html",
        "language": "",
        "content": "x",
        "old": "",
        "new": "",
    }
    files = [{"name": "p.png", "id": "p", "content": b"x"}]
    page = page_of(bench, talk(said("human", {"kind": "artifact", "artifact": made}, files=files)))
    assert '<a href="1/artifacts/A.html" download>A</a>' in page
    assert '<img src="1/attachments/p.png" alt="p.png" loading="lazy">' in page
    links = [HTMLPage(Prose()).link("x", f"a{end}") for end in (".SHTML", ".xht", ".svgz", ".mht", ".xsl", ".txt", ".pdf")]
    assert [" download>" in link for link in links] == [True] * 5 + [False] * 2


def test_links_in_a_text_run_nothing_either():
    """A file beside the page that a message links to is saved like one that the page links to; pages elsewhere are opened."""
    texts = ("[x](a.html)", "[x](a.ht%6Dl#y)", "[x](a.svg?b)", "[x](a.txt)", "[x](https://example.org/a.html)")
    assert [" download>" in Prose().render(text, 2) for text in texts] == [True] * 3 + [False] * 2


def test_a_text_has_its_footnotes_below_it():
    """Footnotes of two texts on a page are told apart, and one-word notes are no addresses."""
    one, other = (Prose().render(f"{word}[^1]\n\n[^1]: {word}\n", 2) for word in ("one", "two"))
    (note,) = re.findall(r'href="#(fn-[^"]+)"', one)
    assert f'<li id="{note}" class="footnote-item"><p>one' in one
    assert note not in other

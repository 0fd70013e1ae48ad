import json
import re
from pathlib import Path

import pytest
import yaml
from generate_claude import NO_PARENT, make_conversation, make_message, sample, text_block, tool_blocks
from markdown_it import MarkdownIt
from pages import placed, rendered
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from transmissions import UsageError
from transmissions.processors.claude import convert, convert_message
from transmissions.processors.markdown import ConversationMarkdown
from transmissions.processors.prose import fence, guard, inline
from transmissions.processors.spool import Mapped, SpooledList

ROOT = Path(__file__).parents[2]


def convert_all(bench, conversations, **settings):
    """Return the files that come of a Claude export's conversations, as text, and what became of what was found."""
    given = [placed(convert(conversation), number) for number, conversation in enumerate(conversations, 1)]
    files, accounts = rendered(bench, ConversationMarkdown(**settings), *given)
    return files, [account["became"] for account in accounts]


def page_of(bench, *content, sender="assistant", **settings):
    """Return the page of a conversation with one message."""
    files, _ = convert_all(bench, [make_conversation([make_message(1, sender, list(content))])], **settings)
    return next(text for path, text in files.items() if path.endswith(".md"))


def headings(text):
    tokens = MarkdownIt().parse(re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL))
    return [token.tag for token in tokens if token.type == "heading_open"]


def test_a_page_begins_with_front_matter(bench):
    """Front matter names the conversation and nothing of its owner; messages have headings and anchors."""
    files, _ = convert_all(
        bench, [make_conversation([make_message(1, "human", [text_block("Hi")])], 'A "talk"', summary="Short.")]
    )
    ((path, text),) = files.items()
    assert path == "claude/1 A -talk-.md"
    fields = yaml.safe_load(text.split("---\n")[1])
    assert fields["title"] == 'A "talk"'
    assert fields["messages"] == 1
    assert "11111111-1111" not in text
    assert text.split("---\n")[2] == (
        '\n# A "talk"\n\n> Short.\n\n## Human, 2026-03-07 12:01:00Z\n'
        "<!-- msg:019cc82f-7e61-7db9-8000-000000000001 -->\n\nHi\n\n"
        "<!-- notes ~1: write below this line; it is kept -->\n"
    )


BREAKERS = [
    "# One\n\n## Two\n###### Six",
    "Under\n=====\n\nlines\n---\n\nshort\n-",
    "```python\n# code\nnever closed",
    "~~~~\n# code\n~~~\n# still",
    "````\n```\n# code\n````\n# heading",
    "- item\n  ```\n  code, never closed\n",
    "<!-- never closed",
    "<details><summary>never closed",
    "<script>\nif (a) {",
    "   <pre>\n\nx",
    "<![CDATA[ x",
    "a\r# carriage return",
    "> # quoted",
    "1. ```\n   # in a list\n   ```\n# out",
    "| a |\n|---|\n| 1 |\n---",
    "`` ` ``\n```` not a fence ```` here\n# h",
    "- a\n  ```\n  never closed\n\nout\n\n# heading\n\n```\ncode",
    "1. a\n\n    # deep\n\n    ```\n    # code\n    ```",
    "> ```\n> never closed\n\n# heading",
    "> quoted\n> ---\n\n- # item",
    "- a\n  <!-- x\n\nb",
    "    ````<x>\n\ny",
    "\t~~~ x",
    "- a\n\npara\n\n  ```\ncode\n\n# x",
    "  `````<pre>\n1. \n\n===",
    "1. a\n  ```` x\ntext\n\n| a |",
    "<b>  \n~~~ x\n\n\n# y",
    "```a\n# h\n\t````\n- x",
    "---",
    "\t# h",
    "* * *\n\n  ```\n# h",
    "1. Do:\n   ```sh\n   make\n```\nmore",
    "> ```\n> x\n```\ncode\n```",
    "- x\n\n  ```\n  y\n ```\nz",
    "- \n\n  ```\ncode\n  ```",
    "  ```\n#tag",
    " \t# H",
    "*\n \t# H\n*",
    "<div>\n<details>",
    "</p>\n`x`\n<!-- c",
    "- ` a\n- ` <details>",
    "<math>\n- a\n!\n  ```\n<b>\n***",
    "- a\n  ===\nb\n  ```\n> c",
]


@pytest.mark.parametrize("text", BREAKERS)
@pytest.mark.parametrize("kind", ["text", "thinking"])
@pytest.mark.parametrize("given", [{}, {"flavour": "obsidian", "latex": "dollar"}, {"preset": "rag", "thinking": "keep"}])
def test_no_message_breaks_the_page(bench, text, kind, given):
    """Headings, open code blocks and HTML in a message leave the page's own structure as it is."""
    block = text_block(text) if kind == "text" else {"type": "thinking", "thinking": text, "summaries": [{"summary": "s"}]}
    messages = [make_message(1, "assistant", [block]), make_message(2, "human", [text_block("END OF TALK")])]
    files, _ = convert_all(bench, [make_conversation(messages)], **given)
    (page,) = files.values()
    own = [tag for tag in headings(page) if tag in {"h1", "h2"}]
    assert own == ["h1", "h2", "h2"]
    assert "<p>END OF TALK</p>" in MarkdownIt().render(page)


@pytest.mark.parametrize("tag", ["<title>", "<!-- c", "<script>", "</details>", "<textarea", "<iframe>"])
@pytest.mark.parametrize("around", ["Does {} work?", "<div>\nDoes {} work?", "- a\n\n  Does {} work?", r"\\{} work?"])
def test_a_tag_that_is_spoken_of_hides_nothing(bench, tag, around):
    """An element that somebody names in a question is words on the page: a browser shows what is below."""
    page = page_of(bench, text_block(around.format(tag)), text_block("SEEN"))
    shown = HTMLParser(MarkdownIt().render(page.partition("# ")[2]))
    assert tag in shown.body.text()
    assert next(node.parent.tag for node in shown.css("p") if node.text() == "SEEN") in {"body", "div"}


def test_what_ends_a_line_in_a_result_stays_in_its_callout(bench):
    """A carriage return, as progress bars print them, ends no callout."""
    page = page_of(bench, *tool_blocks("run", {}, "10 %\r# 50 %\r\n# done\r"), flavour="obsidian")
    assert "> ```\n> 10 %\n> # 50 %\n> # done\n> ```" in page


def test_code_is_left_alone():
    """Inside a code block nothing is changed, outside headings sink."""
    text = "# a\n\n```sh\n# comment\n<!-- x\n```\n\n# b"
    assert guard(text, 2) == "### a\n\n```sh\n# comment\n<!-- x\n```\n\n### b"
    assert guard("plain * text #tag\n    # indented", 2) == "plain * text #tag\n    # indented"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a - b = c\nx ``` y\n# z", "a - b = c\nx ``` y\n### z"),
        ("# z\n\nwords", "### z\n\nwords"),
        ("words\n---\nmore", "words\n\n---\nmore"),
        ("`a`\n```sh\necho ``` b\n  ```\n# z", "`a`\n```sh\necho ``` b\n  ```\n### z"),
        ("```sh\necho ``` b", "```sh\necho ``` b\n```"),
        ("~~~\n```\n# c\n~~~~\nwords\n", "~~~\n```\n# c\n~~~~\nwords"),
        ("\n```\na\n```\n\n", "```\na\n```"),
    ],
)
def test_a_text_is_guarded_from_its_first_line_that_matters(text, kept):
    """Signs within a line begin nothing, wherever the first line stands that does, and code ends with a fence of its own."""
    assert guard(text, 2) == kept


def test_a_fence_is_longer_than_any_inside():
    """A code block is fenced by more ticks than it holds, so it comes out of a parser as it went in."""
    for text in ("x", "```\nx\n```", "`````", "a\n````\n"):
        (token,) = MarkdownIt().parse(fence(text, "py"))
        assert (token.content.rstrip("\n"), token.info) == (text.rstrip("\n"), "py")


def test_a_line_shows_what_it_says():
    """Names and titles are shown as they are, whatever markup they look like."""
    for text in ("<b>x</b>", "a *b* [c](d) `e`", "&amp; \\n", "[[wiki]]"):
        rendered = MarkdownIt().renderInline(inline(text))
        assert re.sub(r"&(lt|gt|amp|quot);", lambda m: {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}[m[1]], rendered) == text


def test_tools_are_folded_with_their_results(bench):
    """A call shows its input and result in a fold; a failed one says so."""
    page = page_of(bench, *tool_blocks("run", {"code": "a\nb", "n": 1}, "out ``` put", is_error=True))
    assert "<details><summary>Tool: run (failed)</summary>" in page
    assert '{\n  "n": 1\n}' in page
    assert "code:\n\n```\na\nb\n```" in page
    assert "Error:\n\n````\nout ``` put\n````" in page


def test_citations_become_footnotes(bench):
    """Footnotes are numbered through the conversation and stand at the line they speak of, never inside code."""

    def cite(n):
        return [{"end_index": 3, "details": {"url": f"https://example.org/{n}"}}]

    blocks = [
        {**text_block("one two\nthree"), "citations": cite(1)},
        {**text_block("```\ncode\n```"), "citations": [*cite(2), {}]},
    ]
    page = page_of(bench, *blocks)
    assert "one two[^1]\nthree\n\n[^1]: <https://example.org/1>" in page
    assert "```\ncode\n```\n\n[^2] [^3]\n\n[^2]: <https://example.org/2>\n[^3]: (no address)" in page


def test_a_footnote_has_the_words_that_were_cited(bench):
    """Where the archive holds the passage that a citation rests on, the footnote shows it on its line."""
    cited = {"url": "https://example.org/", "title": "A", "cited_text": "the *words*\nof it"}
    page = page_of(bench, {**text_block("one"), "citations": [cited]})
    assert "[^1]: A <https://example.org/>: “the \\*words\\* of it”" in page


def test_footnotes_of_a_line_stand_in_order(bench):
    """The tenth comes behind the ninth; where a mark would break a formula, all stand below the text."""
    cited = [{"end_index": 1, "details": {"url": f"https://example.org/{n}"}} for n in range(11)]
    page = page_of(bench, {**text_block("one"), "citations": cited}, {**text_block("$$\nx\n$$"), "citations": cited[:1]})
    assert f"one{''.join(f'[^{n}]' for n in range(1, 12))}\n" in page
    assert "$$\nx\n$$\n\n[^12]\n" in page


def test_what_a_text_defines_is_its_own(bench):
    """Two texts of a page may define the same label: each link leads where it led, and footnotes do not meet."""
    texts = [f"[see][1], [1] and `[1]`[^n]\n\n[1]: https://{name}.example/(x)\n[^n]: Note {name}." for name in "ab"]
    page = page_of(bench, *({**text_block(text), "citations": [{"url": "https://c.example"}]} for text in texts))
    for name in "ab":
        assert f"[see](<https://{name}.example/(x)>), [1](<https://{name}.example/(x)>) and `[1]`[^n-" in page
    assert len(set(re.findall(r"^\[\^[^\]]+\]:", page, re.MULTILINE))) == 4


def test_lines_of_a_log_are_no_definitions(bench):
    """What only looks like a definition is left as it was written."""
    log = "[INFO]: started\n[INFO] running [1]\n[1]: done"
    assert f"\n{log}\n" in page_of(bench, text_block(log))


def test_a_report_names_its_sources(bench):
    """The pages that an artifact rests on stand below it, each once; its file is as it was written."""
    sources = [{"title": "Tides", "url": "https://tide.example", "start_index": n} for n in (0, 9)]
    made = {"id": "a", "command": "create", "content": "They rise.", "title": "T", "type": "text/markdown"}
    page = page_of(bench, *tool_blocks("artifacts", {**made, "md_citations": sources}))
    assert "```markdown\nThey rise.\n```\n\nSources:\n\n- Tides <https://tide.example>\n\nResult:" in page


def test_no_address_is_a_program(bench):
    """An address that would run something is shown, and is no link."""
    cited = [{"end_index": 1, "details": {"url": "JavaScript:alert(1)"}}]
    assert "[^1]: JavaScript:alert(1)" in page_of(bench, {**text_block("one"), "citations": cited})


def test_sources_of_nothing_are_named(bench):
    """Citations of a text that is empty are footnotes all the same."""
    cited = [{"end_index": 1, "details": {"url": "https://example.org/a"}}]
    assert "[^1]: <https://example.org/a>" in page_of(bench, {**text_block(""), "citations": cited}, text_block("b"))


def test_other_branches_stand_apart(bench):
    """An edited prompt stands at the end under a heading of its own, and what it made is a file of its own."""
    made = {"id": "a", "command": "create", "content": "one", "title": "A", "type": "text/markdown"}
    edit = {"id": "a", "command": "update", "old_str": "one"}
    contents = [
        [text_block("start")],
        tool_blocks("artifacts", made),
        tool_blocks("artifacts", {**edit, "new_str": "left"}),
        tool_blocks("artifacts", {**edit, "new_str": "taken"}),
    ]
    messages = [make_message(n, "assistant", content) for n, content in enumerate(contents)]
    for message, parent in zip(messages, [NO_PARENT, *(messages[n]["uuid"] for n in (0, 1, 1))], strict=True):
        message["parent_message_uuid"] = parent
    files, _ = convert_all(bench, [make_conversation(messages)])
    assert [text for path, text in files.items() if "artifacts" in path] == ["taken", "left"]
    before, after = next(iter(files.values())).split("## Other branches")
    assert "taken" in before
    assert "left" not in before
    assert "left" in after


def test_attachments_become_files(bench):
    """Attached text is a file beside the page and a preview on it; text of a binary format is called text."""
    attachments = [{"file_name": name, "extracted_content": "x" * 2000} for name in ("a.docx", "../a.py", "A.PY", "")]
    files, _ = convert_all(bench, [make_conversation([make_message(1, "human", [], attachments=attachments)])])
    names = [path.rpartition("/")[2] for path in files if "attachments" in path]
    assert names == ["a.docx.txt", "a.py", "A-2.PY", "attachment.txt"]
    assert "[a.py](1/attachments/a.py) (2,000 characters)" in files["claude/1 A talk.md"]


def test_settings_change_what_is_shown(bench):
    """Each kind can be kept in the open, folded or dropped; what is dropped is counted with the reason."""
    content = [{"type": "thinking", "thinking": "HM"}, *tool_blocks("run", {}, "OUT"), text_block("SAID")]
    conversation = make_conversation([make_message(1, "assistant", content)])
    for settings, shown in (
        ({}, "HM OUT SAID"),
        ({"preset": "clean"}, "SAID"),
        ({"preset": "clean", "tools": "keep"}, "OUT SAID"),
    ):
        files, (tally,) = convert_all(bench, [conversation], **settings)
        assert " ".join(re.findall("HM|OUT|SAID", *files.values())) == shown
        assert tally["block thinking"].get("skipped: dropped by setting", 0) == ("HM" not in shown)


def test_headings_follow_the_settings(bench):
    """A template in the settings makes the headings, and what people are called stands in them."""
    message = make_message(1, "human", [text_block("Hi")])
    files, _ = convert_all(bench, [make_conversation([message])], human="Me_", heading="{speaker} ({date}) {id}")
    assert f"\n## Me\\_ (2026-03-07) {message['uuid']}\n" in files["claude/1 A talk.md"]


@pytest.mark.parametrize("wrong", ["{0}", "{speeker}", "{", "{speaker.x.y}"])
def test_a_wrong_heading_is_refused_at_once(wrong):
    """A template with a field that does not exist is an error before anything is read, and names those that do."""
    with pytest.raises(UsageError, match=r"it may have \{speaker\}, \{time\}, \{date\} and \{id\}"):
        ConversationMarkdown(heading=wrong)


def test_the_shipped_template_makes_what_the_default_makes(bench):
    """The app's head template gives the default's output, so that a user can start from it; changed, it changes the page."""
    (bench.app / "templates").mkdir()
    shipped = (ROOT / "apps/claude-json-converter/templates/head.md").read_text()
    (bench.app / "templates/head.md").write_text(shipped)
    assert convert_all(bench, sample(), head_template="templates/head.md") == convert_all(bench, sample())
    (bench.app / "templates/head.md").write_text("<{{ title | yaml }}> {{ messages }}")
    files, _ = convert_all(bench, sample()[3:], head_template="templates/head.md")
    assert next(iter(files.values())).startswith('<"Is anybody there?"> 1\n\n## Human')


def test_the_original_layout_has_a_file_for_each_message(bench):
    """One file for each message, header and footer as they were; ids get longer where the short one is taken."""
    messages = [make_message(number, "human", [text_block(f"Nr {number}")]) for number in (1, 2, 3)]
    files, _ = convert_all(bench, [make_conversation(messages, "T")], preset="original")
    assert list(files) == [f"00001/2026-03-07_{name}.md" for name in ("019", "019cc82f", "019cc82f7e617db9")]
    first = files["00001/2026-03-07_019.md"]
    url = "https://claude.ai/chat/7352ddcc-bebe-4ba3-b94b-000000000001"
    assert first.startswith(f"# [T]({url})\n\n019cc82f-7e61-7db9-8000-000000000001\n\nNr 1\n\n---\n\n* **")
    assert json.loads(first.split("**meta** : ")[1].split("\n* ")[0])["conv_name"] == "T"
    assert first.rstrip().endswith("* **filepath** : 00001/2026-03-07_019.md")


@pytest.mark.parametrize(
    ("url", "shown"),
    [("https://x.org/a_(b)", "[T](<https://x.org/a_(b)>)"), ("a\n# b", "T"), ("javascript:alert(1)", "T"), ("", "[T]()")],
)
def test_the_original_layout_links_to_addresses_only(bench, url, shown):
    """Text where a conversation's address should be is no part of its heading."""
    conversation = {**convert(make_conversation([make_message(1, "human", [text_block("x")])], "T")), "url": url}
    files, _ = rendered(bench, ConversationMarkdown(preset="original"), placed(conversation))
    assert next(iter(files.values())).startswith(f"# {shown}\n\n")


def test_the_original_layout_loses_nothing_of_the_whole(bench):
    """What belongs to no message, as a project's instructions and documents, has a page of its own there."""
    whole = {"sections": [{"title": "Instructions", "text": "Be brief."}]}
    whole["attachments"] = [{"name": "a.txt", "type": "", "text": "words"}]
    given = convert(make_conversation([make_message(1, "human", [text_block("Hi")])], "T")) | whole
    files, _ = rendered(bench, ConversationMarkdown(preset="original"), placed(given))
    page = files["00001/about.md"]
    assert page.startswith("# T\n\n## Instructions\n\nBe brief.\n\n**Attachment:** [a.txt](")
    assert [text for path, text in files.items() if path.endswith("a.txt")] == ["words"]


def test_a_conversation_too_large_for_memory_gives_the_same_page(bench):
    """Gone through from a file, a conversation becomes the files that it becomes from memory."""
    conversation = convert(sample()[2])
    spooled = SpooledList()
    for item in sample()[2]["chat_messages"]:
        spooled.append(item)
    large = {**conversation, "messages": Mapped(convert_message, spooled)}
    (small, _), (same, _) = (rendered(bench, ConversationMarkdown(), placed(given)) for given in (conversation, large))
    assert {path: text.rstrip() for path, text in same.items()} == {path: text.rstrip() for path, text in small.items()}


def test_controls_and_half_characters_are_replaced(bench):
    """A page holds no control characters and no lone surrogates; each is replaced and counted."""
    conversation = make_conversation([make_message(1, "human", [text_block("a\0b\x1bc\ud83d d\udced\udca0\udcbd")])], "T\0")
    files, (tally,) = convert_all(bench, [conversation])
    (page,) = files.values()
    assert "a␀b␛c\ufffd d\ufffd" in page
    assert (tally["control character"], tally["lone surrogate"]) == ({"replaced": 3}, {"replaced": 2})


def test_a_summary_is_in_its_quotation_what_it_is_outside(bench):
    """A tab makes a line code, and no heading of what is in it."""
    page = next(iter(convert_all(bench, [make_conversation([], "T", summary="<b>\n \t# x")])[0].values()))
    assert headings(page) == ["h1"]


def test_title_and_summary_are_shown_as_the_flavour_asks(bench):
    """In Obsidian no title hides what follows; where formulas are told by dollars, a price in it is none."""
    conversation = make_conversation([], "50 %% off $5", summary="Now %% then")
    files, _ = convert_all(bench, [conversation], flavour="obsidian", latex="dollar")
    page = next(iter(files.values()))
    assert "\n# 50 \\%\\% off \\$5\n\n> Now \\%\\% then\n" in page


def test_code_at_the_beginning_of_a_note_is_kept_apart_by_what_nobody_sees(bench):
    """Obsidian's comment in front of an indented text stays one, while the text's own `%%` is shown."""
    page = page_of(bench, text_block("    code()\n\nand %%more%%"), flavour="obsidian")
    assert "%% %%\n\n    code()\n\nand \\%\\%more\\%\\%" in page


def test_a_title_in_obsidian_is_no_tag_and_no_block(bench):
    """Signs that would file a note under a tag, or hide the end of a heading, are words; others are left alone."""
    conversation = make_conversation([], name="Fix #bug in C# for #1 ^later")
    files, _ = convert_all(bench, [conversation], flavour="obsidian")
    assert "\n# Fix \\#bug in C# for \\#1 \\^later\n" in next(iter(files.values()))


@pytest.mark.parametrize("attachments", ["keep", "drop"])
def test_what_is_said_of_a_file_stands_below_it(bench, attachments):
    """The context of a document is Markdown below its link, and goes with it."""
    document = {"type": "document", "source": {"type": "text", "data": "Words."}, "title": "Tides", "context": "From *1911*."}
    page = page_of(bench, document, sender="human", attachments=attachments)
    assert ("[Tides](" in page, "\n\nFrom *1911*.\n" in page) == ((attachments == "keep",) * 2)

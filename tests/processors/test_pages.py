"""What the common model holds beyond Claude's chats, on pages."""

import re

import pytest
import yaml
from markdown_it import MarkdownIt
from pages import EMPTY, placed, rendered, said, talk

from transmissions.processors.artifacts import exact_bytes
from transmissions.processors.markdown import ConversationMarkdown

PNG = b"\x89PNG\r\n\x1a\nimage"


class Blob:
    """A file of an archive."""

    def __init__(self, data):
        self._data = data

    def __len__(self):
        return len(self._data)

    def blocks(self):
        yield self._data


def page_of(bench, conversation, **settings):
    """Return a conversation's page, and all its files."""
    files, _ = rendered(bench, ConversationMarkdown(**settings), placed(conversation))
    return files[next(path for path in files if path.endswith("A talk.md"))], files


def block(kind, **more):
    return {"kind": kind, "sources": (kind,), **more}


def artifact(command, **more):
    empty = {"title": "", "type": "", "language": "", "content": "", "old": "", "new": ""}
    made = {"command": command, "key": "a", **empty, **more}
    return block("tool", name="artifacts", input={}, result=None, artifact=made)


def full_talk():
    """Return a conversation with something of every kind."""
    call = block("tool", name="run", input={"x": 1}, result={"parts": [{"text": "RESULT"}], "failed": False})
    cited = block("text", text="SAID", citations=[{"end": 4, "url": "https://example.org/", "title": "Source"}])
    asked = said("human", "ASKED", number=1, attachments=[{"name": "a.txt", "type": "", "text": "PASTED " * 400}])
    answer = said(
        "assistant",
        block("thinking", text="THOUGHT", summaries=[]),
        block("injected", text="INJECTED", source="memory"),
        block("event", title="EVENT", text=""),
        block("unknown", type="odd", data={"x": "ODD"}),
        call,
        artifact("create", content="one", title="Made", language="python"),
        artifact("update", old="one", new="FINAL"),
        cited,
        number=2,
    )
    return talk(asked, answer, summary="SUMMARY", url="https://example.org/c1")


PROBES = [
    "SUMMARY",
    "ASKED",
    "PASTED",
    "THOUGHT",
    "INJECTED",
    "EVENT",
    "ODD",
    "RESULT",
    "FINAL",
    "SAID",
    "https://example.org/",
]


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({}, ""),
        ({"preset": "clean"}, "THOUGHT INJECTED EVENT RESULT FINAL"),
        ({"preset": "rag"}, "SUMMARY THOUGHT INJECTED EVENT ODD RESULT"),
        ({"preset": "rag", "thinking": "fold"}, "SUMMARY INJECTED EVENT ODD RESULT"),
        ({"thinking": "drop", "events": "drop", "citations": "drop", "unknown": "drop"}, "THOUGHT EVENT ODD"),
    ],
)
def test_each_preset_shows_what_it_promises(bench, settings, missing):
    """Full shows everything, clean prompts and answers, rag those with what is attached; single settings override."""
    page, _ = page_of(bench, full_talk(), **settings)
    assert [probe for probe in PROBES if probe not in page] == missing.split()


def test_retrieval_gets_plain_text(bench):
    """Made for retrieval, a page has no HTML, comment, anchor or footnote, and holds attachments and artifacts whole."""
    page, _ = page_of(bench, full_talk(), preset="rag", tools="fold")
    assert not [sign for sign in ("<!--", "<details", "[^", "msg:", "notes ~") if sign in page]
    assert page.count("PASTED") == 400
    assert "SAID\n\n- Source <https://example.org/>" in page
    assert page.endswith("## Artifact: Made.py\n\n```python\nFINAL\n```\n")
    assert yaml.safe_load(page.split("---\n")[1]).keys() == {"title", "id", "created", "url"}


def test_a_message_of_which_nothing_is_shown_has_no_heading(bench):
    """Where settings leave nothing of a message its heading goes too, and the account says so."""
    hidden = said("assistant", block("thinking", text="HM", summaries=[]))
    messages = [hidden, said("human", number=2), said("human", "x", number=3)]
    for preset, headings, outcomes in (
        ("full", 3, {"rendered": 2, "rendered empty": 1}),
        ("clean", 1, {"skipped: nothing of it is shown": 2, "rendered": 1}),
    ):
        files, (account,) = rendered(bench, ConversationMarkdown(preset=preset), placed(talk(*messages)))
        assert files["claude/1 A talk.md"].count("\n## ") == headings
        assert account["became"]["message"] == outcomes


def test_the_account_balances_for_every_kind(bench):
    """What was found is what became of it, with what the converter left out on purpose on both sides."""
    blocks = {"thinking": 1, "injected": 1, "event": 1, "unknown": 1, "tool": 3, "text": 2}
    counts = {"messages": 2, "attachments": 1, "files": 0, "blocks": blocks}
    skipped = {"message": {"skipped: empty root": 2}, "block text": {"skipped: a copy": 1}}
    for settings in ({}, {"preset": "clean"}, {"preset": "rag"}, {"preset": "original"}, {"attachments": "drop"}):
        given = placed({**full_talk(), "counts": counts, "skipped": skipped})
        _, (account,) = rendered(bench, ConversationMarkdown(**settings), given)
        found = {"message": 4, "attachment": 1, **{f"block {name}": number for name, number in blocks.items()}, "block text": 3}
        assert {kind: sum(account["became"][kind].values()) for kind in found} == found
        assert account["found"] == {**counts, "messages": 4, "blocks": {**blocks, "text": 3}}
    assert counts["messages"] == 2


def test_files_of_the_archive_lie_beside_the_page(bench):
    """Content is written once and linked; images are shown, by their name or by their first bytes."""
    picture = {"name": "", "id": "f1", "content": Blob(PNG)}
    shown = said("human", block("file", name="", id="f1", type="image"), files=[picture])
    attached = said(
        "human",
        number=2,
        files=[picture, {"name": "gone.png", "id": "f2"}, {"name": "x.bin", "id": "", "content": b"\0\1"}],
        attachments=[{"name": "a.pdf", "type": "", "text": "as text", "content": Blob(b"%PDF")}],
    )
    page, files = page_of(bench, talk(shown, attached))
    beside = {path.rpartition("/")[2]: exact_bytes(text) for path, text in files.items() if "attachments" in path}
    assert beside == {"f1.png": PNG, "x.bin": b"\0\1", "a.pdf": b"%PDF", "a.pdf.txt": b"as text"}
    assert page.count("![f1.png](1/attachments/f1.png)") == 2
    for line in (
        "**File:** gone.png (not in the archive)",
        "**File:** [x.bin](1/attachments/x.bin)",
        "**Attachment:** [a.pdf](1/attachments/a.pdf)",
    ):
        assert f"\n{line}\n" in page


def test_what_is_no_chat_becomes_a_page_too(bench):
    """A project's texts are sections, its files lie beside it, and links to other conversations are told."""
    attachments = [{"name": "plan.md", "type": "", "text": "# Plan"}]
    links = [{"relation": "sub-agent of", "id": "c0", "title": "The *whole*"}]
    sections = [{"title": "Instructions", "text": "# Be brief"}, {"title": "# Empty", "text": ""}]
    page, files = page_of(bench, talk(kind="project", sections=sections, attachments=attachments, links=links))
    assert files["claude/1/attachments/plan.md"] == "# Plan"
    body = page.split("# A talk\n\n")[1]
    assert body.startswith(r"**Sub-agent of:** The \*whole\* (c0)" + "\n\n## Instructions\n\n### Be brief\n\n## # Empty\n\n")


def test_speakers_are_called_what_they_are_called(bench):
    """An assistant has its provider's name for it unless a setting says otherwise; a message may name its speaker."""
    messages = [said("assistant", "a"), said("human", "b", name="Ann_"), said("tool", "c"), said("", "d")]
    page, _ = page_of(bench, talk(*messages, provider="chatgpt"))
    assert [line[3:] for line in page.splitlines() if line[:3] == "## "] == ["ChatGPT", r"Ann\_", "Tool", "Unknown"]
    page, _ = page_of(bench, talk(said("assistant", "a"), provider="lm-studio"))
    assert "\n## Assistant\n" in page
    page, _ = page_of(bench, talk(said("assistant", "a")), assistant="Robot")
    assert "\n## Robot\n" in page


def test_front_matter_tells_what_is_known(bench):
    """Models, tags, tokens and project are in the front matter of any flavour; Obsidian gets aliases and its own tags."""
    given = placed(talk(said("human", "x"), tags=["two words", "#x"], tokens={"input": 5, "output": 6}))
    given["facts"] |= {"models": ["m: 1"], "project": "P - #1", "account": "PRIVATE"}
    files, _ = rendered(bench, ConversationMarkdown(flavour="obsidian"), {**given})
    fields = yaml.safe_load(files["claude/1 A talk.md"].split("---\n")[1])
    assert (fields["models"], fields["project"], fields["tokens"]) == (["m: 1"], "P - #1", {"input": 5, "output": 6})
    assert (fields["aliases"], fields["tags"]) == (["A talk"], ["claude", "two-words", "x"])
    files, _ = rendered(bench, ConversationMarkdown(), {**given})
    assert "PRIVATE" not in files["claude/1 A talk.md"]
    assert yaml.safe_load(files["claude/1 A talk.md"].split("---\n")[1])["tags"] == ["two words", "#x"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("$$ left open", "\\$\\$ left open"),
        ("$$x$$ `$$` costs $$!", "$$x$$ `$$` costs \\$\\$!"),
        ("$$x$$ and `$$`", "$$x$$ and `$$`"),
        ("a $$ b\n\n```\necho $$\n```\n\nc", "a \\$\\$ b\n\n```\necho $$\n```\n\nc"),
    ],
)
def test_no_formula_is_left_open_in_obsidian(bench, text, shown):
    """A `$$` that nothing closes would make the rest of the page a formula."""
    page, _ = page_of(bench, talk(said("human", block("text", text=text, citations=()))), flavour="obsidian")
    assert shown in page


@pytest.mark.parametrize(
    "title", ['"', "'", ": x", "- [x", "a\0b", "\ud83d", "\u202ex", "#%%`<b>", "---", "x" * 300, "é\u2028", "~"]
)
@pytest.mark.parametrize("flavour", ["commonmark", "obsidian"])
def test_any_title_makes_valid_front_matter(bench, title, flavour):
    """Whatever a title holds, front matter is YAML that says it, and the page has one title."""
    files, _ = rendered(bench, ConversationMarkdown(flavour=flavour), placed(talk(said("human", "x"), title=title)))
    (page,) = files.values()
    _, matter, body = page.split("---\n", 2)
    assert yaml.safe_load(matter)["title"] == " ".join(title.split()).replace("\ud83d", "\ufffd")
    assert [token.tag for token in MarkdownIt().parse(body) if token.type == "heading_open"] == ["h1", "h2"]


def test_obsidian_has_callouts_wikilinks_and_its_own_comments(bench):
    """Folds are closed callouts with every line in them, files are wikilinks, and a message hides nothing by `%%`."""
    thinking = block("thinking", text="one\n\n```\ntwo", summaries=["# not a heading"])
    files = [{"name": "a [b]|c.png", "id": "f", "content": PNG}, {"name": "d|e.bin", "id": "", "content": b"x"}]
    message = said("assistant", thinking, artifact("create", content="x", title="T|[1]"), "a %% b `%%`", files=files)
    page, _ = page_of(bench, talk(message), flavour="obsidian")
    assert "> [!note]- Thinking\n>\n> - \\# not a heading\n>\n> one\n>\n> ```\n> two\n> ```\n\n" in page
    assert re.search(r"\*\*Artifact:\*\* \[\[1/artifacts/T[^|]*\.txt\|T[^|\[\]]+1[^|\[\]]+\]\]\n", page)
    assert "![[1/attachments/a -b-c.png]]" in page
    assert "a \\%\\% b `%%`" in page
    assert "%% msg:m1 %%" in page
    assert page.endswith("%% notes ~1: write below this line; it is kept %%\n")


def test_a_fold_is_closed_by_the_page_only(bench):
    """A `</details>` in the middle of a message's line closes nothing."""
    page, _ = page_of(bench, talk(said("human", block("thinking", text="a </details> `</details>`", summaries=[]))))
    assert "a \\</details> `</details>`\n\n</details>" in page


def test_what_is_not_asked_for_passes(bench):
    """A message without a conversation goes on as it came."""
    assert bench.through(ConversationMarkdown(), {"key": "k"}) == [{"key": "k"}]


def test_what_other_steps_made_is_kept(bench):
    """Files and an account that are there already stay, the conversation goes on, and facts grow."""
    given = placed(talk(said("human", "x"), counts=EMPTY))
    (result,) = bench.through(ConversationMarkdown(), {**given, "files": [("a", b"")], "account": "made"})
    assert [path for path, _ in result["files"]] == ["a", "claude/1 A talk.md"]
    assert (result["account"], result["conversation"]) == ("made", given["conversation"])
    assert (result["facts"]["messages"], result["facts"]["artifacts"]) == (1, None)

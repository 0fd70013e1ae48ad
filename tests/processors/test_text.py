"""SetText, StringReplace and MarkdownFormatter."""

import pytest

from transmissions import RunError
from transmissions.processors.text import MarkdownFormatter, SetText, StringReplace


def test_a_text_is_set(bench):
    """SetText makes the way to its field."""
    assert bench.through(SetText(text="T", target_field="a.b"), {}) == [{"a": {"b": "T"}}]


def test_every_occurrence_is_replaced_literally(bench):
    """A dot is a dot."""
    assert bench.through(StringReplace(match=".", replace="!"), {"content": "a.b.c"}) == [{"content": "a!b!c"}]
    step = StringReplace(match="a", input_field="x.y", output_field="z")
    assert bench.through(step, {"x": {"y": "aba"}}) == [{"x": {"y": "aba"}, "z": "b"}]
    with pytest.raises(RunError, match="not text but a int"):
        bench.through(step, {"x": {"y": 1}})


def test_a_page_has_a_heading_a_text_and_a_list_of_the_rest(bench):
    """The title is a link, None is left out, objects are code, and the page replaces the text."""
    message = {"title": "A [b]\nc", "url": "https://x.y/(z) 1", "content": "\nText\n", "tags": ["`a`"], "by": None, "n": 0}
    (result,) = bench.through(MarkdownFormatter(), message)
    assert result["content"] == (
        '# [A \\[b\\] c](https://x.y/%28z%29%201)\n\nText\n\n---\n\n* **tags** : ``["`a`"]``\n* **n** : 0\n'
    )


def test_the_parts_of_a_page_are_chosen_by_settings(bench):
    """Fields may be named one by one, and absent parts leave no trace."""
    step = MarkdownFormatter(title_field="meta.name", body_field="text", footer_fields=("meta.by",), target_field="page")
    (result,) = bench.through(step, {"meta": {"name": "N", "by": "A\nB"}, "text": "T", "more": 1})
    assert result["page"] == "# N\n\nT\n\n---\n\n* **meta.by** : A\n  B\n"
    assert bench.through(MarkdownFormatter(footer=False), {"content": "T", "x": 1})[0]["content"] == "T\n"


def test_a_message_of_a_chat_becomes_a_page_with_a_place(bench):
    """Its heading leads to the conversation, and its file is named after day and whole identifier."""
    content = {"uuid": "b1/..", "text": "Hello", "created_at": "2024-11-30T10:00:00Z"}
    message = {"content": content, "meta": {"conv_uuid": "7352-x", "conv_name": "Talk"}}
    (page,) = bench.through(MarkdownFormatter(footer=False), message)
    assert page["content"] == "# [Talk](https://claude.ai/chat/7352-x)\n\nb1/..\n\nHello\n"
    assert page["filepath"] == "7352/2024-11-30_b1---.md"

"""Templater."""

import pytest

from transmissions import RunError
from transmissions.processors.templates import Templater


def test_a_file_is_filled_in_with_the_members_of_an_object(bench):
    """Nothing is escaped, includes work, and the last line keeps its end."""
    (bench.data / "input").mkdir()
    (bench.data / "input/page.njk").write_text("{% include 'input/head.njk' %}<{{ body }}>\n")
    (bench.data / "input/head.njk").write_text("# {{ title }}\n")
    step = Templater(template_filename="input/page.njk", data_field="data", target_field="out.page")
    (message,) = bench.through(step, {"data": {"title": "A & B", "body": "x"}})
    assert message["out"]["page"] == "# A & B\n<x>\n"


def test_a_message_without_content_blocks_is_offered_whole(bench):
    """The default object is `contentBlocks`, else the message."""
    step = Templater(template="{{ a }}")
    assert [m["content"] for m in bench.through(step, {"a": 1, "contentBlocks": {"a": 2}}, {"a": 3})] == ["2", "3"]


@pytest.mark.parametrize(
    ("undefined", "template", "text"),
    [
        ("error", "{% if x %}a{% else %}b{% endif %}", "b"),
        ("empty", "[{{ x }}]", "[]"),
        ("error", "{{ x }}", None),
        ("strict", "{% if x %}{% endif %}", None),
    ],
)
def test_absent_names(bench, undefined, template, text):
    """Asking for an absent name is allowed by default, printing it is not."""
    step = Templater(template=template, undefined=undefined)
    if text is not None:
        assert bench.through(step, {})[0]["content"] == text
        return
    with pytest.raises(RunError, match="<template>:1: 'x' is undefined"):
        bench.through(step, {})


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("a\n{{ titel }}", r"page\.njk:2: 'titel' is undefined"),
        ("a\n\n{% if %}", r"page\.njk:3: Expected an expression"),
        ("\n{{ 1 + 'a' }}", r"page\.njk:2: unsupported operand"),
        ("{% if a === 1 %}", r"page\.njk:1: unexpected '='; two values are compared by =="),
        ("{{ ().__class__.__mro__ }}", r"page\.njk:1: access to attribute '__class__'"),
        ("{% include 'none.njk' %}", "no template 'none.njk'"),
    ],
)
def test_faults_of_a_template_are_located(bench, source, fault):
    """Whatever goes wrong in a template names its file and line."""
    (bench.app / "page.njk").write_text(source)
    with pytest.raises(RunError, match=fault):
        bench.through(Templater(template_filename="page.njk"), {})


def test_templates_are_utf_8(bench):
    """A byte order mark is no text, and bytes of another encoding are told with their line."""
    (bench.app / "page.njk").write_bytes(b"\xef\xbb\xbfa")
    assert bench.through(Templater(template_filename="page.njk"), {}) == [{"content": "a"}]
    for data, fault in (
        (b"a\ncaf\xe9", "2: not utf-8: .* at byte 5$"),
        ("a".encode("utf-16"), "1: .* convert it to UTF-8 first$"),
    ):
        (bench.app / "page.njk").write_bytes(data)
        with pytest.raises(RunError, match=rf"page\.njk:{fault}"):
            bench.through(Templater(template_filename="page.njk"), {})


def test_a_template_from_elsewhere_is_refused(bench, tmp_path):
    """Templates are code: the output folder is no place to take them from."""
    bench.output.mkdir()
    (bench.output / "page.njk").write_text("x")
    with pytest.raises(RunError, match="neither in the app's folder nor in the target's"):
        bench.through(Templater(template_filename=str(bench.output / "page.njk")), {})


@pytest.mark.parametrize("settings", [{}, {"template": "a", "template_filename": "b"}])
def test_one_template_is_needed(bench, settings):
    """Neither and both are errors."""
    with pytest.raises(RunError, match="either :templateFilename or :template"):
        bench.through(Templater(**settings), {})


def test_the_data_must_be_an_object(bench):
    """A named field that is absent, or a list, is an error."""
    with pytest.raises(RunError, match="no field 'data'"):
        bench.through(Templater(template="x", data_field="data"), {"a": 1})
    with pytest.raises(RunError, match="not an object but a list"):
        bench.through(Templater(template="x", data_field="a"), {"a": []})


@pytest.mark.parametrize(("settings", "fault"), [({"template": "\n{{ name }"}, "<template>:2: unexpected"), ({}, "either")])
def test_a_template_in_the_config_is_compiled_at_once(settings, fault):
    """A fault in it, or no template at all, is found before anything runs."""
    with pytest.raises(RunError, match=fault):
        Templater(**settings)


def test_templates_may_count_and_dump_as_those_of_nunjucks_do(bench):
    """Lists and texts have a length, members of that name win, and any value can be written as JSON."""
    step = Templater(
        template="{{ l.length }} {{ t.length }} {{ o.length }} {{ o | dump }}{% if not e.length %} none{% endif %}"
    )
    (message,) = bench.through(step, {"l": [1, 2], "t": "abc", "o": {"length": "é"}, "e": []})
    assert message["content"] == '2 3 é {"length": "é"} none'

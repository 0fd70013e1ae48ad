"""A class is read once, and what it may not say is said back with its line."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pytest

from transmissions import (
    IRI,
    Dynamic,
    FractionOf,
    Length,
    LessThan,
    Pattern,
    Processor,
    Protected,
    Range,
    Record,
    Secret,
    Source,
    Term,
    Unit,
)
from transmissions.errors import SpecError
from transmissions.spec import Setting, Spec, describe_class, describe_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from transmissions import Message


class Rename(Record):
    """From and to."""

    pre: str
    "The old name."
    post: str = ""


class Everything(Source):
    """Show every kind of setting.

    And say more.
    """

    iri: ClassVar[str] = "http://example.org/ns#All"
    collapses = True
    name: str
    "What it is called."
    size: Annotated[int, Range(ge=1, lt=100), Unit("bytes"), FractionOf("total")] = 10
    total: int = 20
    low: Annotated[float, LessThan("total")] = 0.5
    mode: Literal["fast", "slow"] = "fast"
    tags: tuple[Annotated[str, Pattern("[a-z]+")], ...] = ()
    rename: tuple[Rename, ...] = ()
    base: Annotated[IRI | None, Term("baseURI"), Protected] = None
    key: Secret | None = None
    strict: bool = False
    value: Annotated[Any, Dynamic()] = None

    def produce(self, message: Message) -> Iterable[Message]:
        yield message


class Everyone(Everything):
    """Declare one setting again."""

    name: str = "everyone"


class Wrong(Processor):
    strange: dict[str, int]
    process: str = ""  # type: ignore[assignment]
    buffer: str = ""
    mode: Literal["a", "b"] = "c"  # type: ignore[assignment]
    low: Annotated[int, LessThan("hihg"), Range(ge=3)] = 1
    text: Annotated[str, Pattern("(")] = ""
    same: Annotated[str, Term("low")] = ""
    count: int = "many"
    shared: Any = []  # noqa: RUF012


class Endless(Record):
    """Hold itself."""

    inner: tuple[Endless, ...] = ()


class Nested(Processor):
    """Hold a record that holds itself."""

    tree: Endless | None = None

    def process(self, message: Message) -> Message:
        return message


class Hidden(Processor):
    """Speak of a type nobody imported."""

    when: Nowhere  # type: ignore[name-defined]  # noqa: F821

    def process(self, message: Message) -> Message:
        return message


class Idle(Processor):
    """Misspell its only method."""

    placement = "tread"

    def proces(self, message: Message) -> Message:
        return message


class Silent(Source):
    """Work as a processor, which a source cannot."""

    def process(self, message: Message) -> Message:
        return message


class Streaming(Processor):
    """Yield what a Source would."""

    async def process(self, message: Message) -> AsyncIterator[Message]:  # type: ignore[override]
        yield message


class Greedy(Processor):
    """Want more than a message, and settings of nobody."""

    times: int = 1

    def __init__(self) -> None:
        self.seen = 0

    def process(self, message: Message, other: Message) -> Message:  # type: ignore[override]
        return message


class Fitful(Source):
    """Take and give all in another form."""

    async def produce(self, message: Message) -> list[Message]:  # type: ignore[override]
        return [message]

    async def finish(self) -> AsyncIterator[Message]:  # type: ignore[override]
        yield {}

    def end_group(self) -> None:  # type: ignore[override]
        return None

    async def __aexit__(self) -> None:  # type: ignore[override]  # noqa: PLE0302, PYI036
        return None


class _Abstract(Processor):
    """Wait to be derived from."""


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (
            Idle,
            [
                "Idle.placement is 'tread'; it must be one of loop, thread",
                (
                    "Idle does no work: it brings none of process, process_batch, run, make_channel; "
                    "did you mean `process` by `proces`?"
                ),
            ],
        ),
        (Silent, ["Silent does no work: it brings no produce; did you mean `produce` by `process`?"]),
        (
            Greedy,
            [
                "Greedy.process is called with a message and nothing else: write `def process(self, message)`",
                "Greedy.__init__ does not take the settings: write `__post_init__(self)`, called once they are set",
            ],
        ),
        (Streaming, ["Streaming.process is an asynchronous generator; use a plain one, or a Source"]),
        (
            Fitful,
            [
                "Fitful.finish is an asynchronous generator; use a plain one, or return a list",
                "Fitful.produce yields nothing: `yield` each message, or leave out `async`",
                "Fitful.end_group is called with a message and nothing else: write `def end_group(self, message)`",
                "Fitful.__aexit__ is called with three values: write `async def __aexit__(self, kind, error, trace)`",
            ],
        ),
    ],
)
def test_a_class_that_cannot_run_is_told_when_it_is_read(cls, expected):
    """What would fail only at the first message is a fault of the class, at its statement."""
    with pytest.raises(SpecError) as caught:
        describe_class(cls, "tests")
    assert [problem.message for problem in caught.value.problems] == expected
    assert {problem.span.text for problem in caught.value.problems} == {inspect.getsource(cls).splitlines()[0]}


def test_a_class_to_derive_from_need_do_no_work():
    """A leading underscore says that the class is no step by itself."""
    assert describe_class(_Abstract, "tests").name == "_Abstract"


def described(name: str) -> Setting:
    """Return one setting of the class above."""
    return next(setting for setting in describe_class(Everything, "tests").settings if setting.name == name)


def faults(cls: type[Processor]) -> list[str]:
    """Return what is wrong with a class, in words."""
    with pytest.raises(SpecError) as caught:
        describe_class(cls, "tests")
    return [problem.message for problem in caught.value.problems]


def test_the_class_itself_is_described():
    """IRI, name, prose, implementation, place and kind come from the class statement."""
    spec = describe_class(Everything, "tests")
    assert (spec.iri, spec.name, spec.summary) == ("http://example.org/ns#All", "All", "Show every kind of setting.")
    assert spec.doc.endswith("\n\nAnd say more.")
    assert spec.implementation == f"{__name__}:Everything"
    assert spec.is_source
    assert spec.collapses
    assert (spec.file, spec.line > 0) == (__file__, True)


def test_an_iri_is_not_inherited():
    """A class derived from another is another class in Turtle too."""
    assert describe_class(Everyone, "tests").iri == "http://purl.org/stuff/transmissions/Everyone"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("name", "string"),
        ("size", "integer"),
        ("low", "decimal"),
        ("strict", "boolean"),
        ("base", "iri"),
        ("key", "secret"),
        ("rename", "record"),
        ("value", "any"),
    ],
)
def test_each_type_has_its_kind(name, kind):
    """Python's types correspond to the kinds of Turtle values."""
    assert described(name).kind == kind


def test_no_default_means_required():
    """A setting is required exactly when the class gives it no value."""
    required = [setting.name for setting in describe_class(Everything, "tests").settings if setting.required]
    assert required == ["name"]


def test_markers_refine_a_type():
    """Bounds, unit, pattern, term and relations stand in the setting."""
    size = described("size")
    assert (size.ge, size.lt, size.gt, size.unit, size.fraction_of) == (1, 100, None, "bytes", "total")
    assert (described("low").less_than, described("base").term, described("tags").pattern) == ("total", "baseURI", "[a-z]+")


def test_markers_may_be_classes_or_instances():
    """`Protected` and `Dynamic()` both mark."""
    assert described("base").protected
    assert described("value").dynamic


def test_choices_and_many():
    """A Literal lists choices, a tuple takes many."""
    assert described("mode").choices == ("fast", "slow")
    assert described("tags").many
    assert not described("name").many


def test_a_record_has_fields_of_its_own():
    """The fields of a record are described as settings are."""
    assert [(field.term, field.required, field.doc) for field in described("rename").fields] == [
        ("pre", True, "The old name."),
        ("post", False, ""),
    ]


def test_the_text_below_a_field_is_inherited():
    """A setting declared again without a text keeps the one it had."""
    name = describe_class(Everyone, "tests").settings[0]
    assert (name.name, name.default, name.doc) == ("name", "everyone", "What it is called.")


def test_every_fault_of_a_class_is_told_at_once():
    """Docstring, types, names, references, patterns and defaults are all looked at."""
    text = "\n".join(faults(Wrong))
    for part in (
        "Wrong has no docstring",
        "Wrong.strange has type dict[str, int], which no setting can have",
        "Wrong.process hides Processor.process",
        "Wrong.buffer is called like :buffer",
        "Wrong.mode has a default it does not allow: 'c'",
        "Wrong.low speaks of 'hihg'",
        "Wrong.low has a default it does not allow: 1",
        "Wrong.text has a pattern that is no regular expression",
        "Wrong.same shares the term :low",
        "Wrong.count has a default it does not allow: 'many'",
        "Wrong.shared has a default that can change",
    ):
        assert part in text


def test_a_fault_has_the_line_of_its_field():
    """The span of a problem shows the field as it is written."""
    with pytest.raises(SpecError) as caught:
        describe_class(Wrong, "tests")
    spans = [problem.span for problem in caught.value.problems if "strange" in problem.message]
    assert [(span.file, span.text, span.column) for span in spans] == [(__file__, "    strange: dict[str, int]", 5)]


def test_a_record_that_holds_itself_is_refused():
    """Endless nesting is a fault, not a recursion error."""
    assert "leads back to Endless" in faults(Nested)[0]


def test_a_type_that_cannot_be_resolved_is_named():
    """The usual cause, an import for the type checker only, is offered."""
    assert "name 'Nowhere' is not defined; import it outside" in faults(Hidden)[0]


def test_settings_that_are_no_processor_are_described_too():
    """Records of node terms are read by the same rules."""
    assert [setting.term for setting in describe_settings(Rename)] == ["pre", "post"]


def test_a_setting_is_found_by_its_term():
    """The Turtle term leads to the setting, another word to none."""
    spec: Spec = describe_class(Everything, "tests")
    assert spec.setting("baseURI") == described("base")
    assert spec.setting("base") is None


class _Wanted(Record):
    """What a run begins with."""

    max_depth: Annotated[int, Range(ge=0)] = 0
    "How deep."
    words: Annotated[tuple[Annotated[str, Length(ge=2, le=9)], ...], Length(ge=1, le=3)]


class Accepting(Processor):
    """Begin with a message of some fields."""

    accepts = _Wanted

    def process(self, message: Message) -> Message:
        return message


def test_what_a_processor_accepts_is_in_its_spec_by_the_names_of_json() -> None:
    """Lengths are those of the values where they stand inside the tuple, and their number around it."""
    depth, words = describe_class(Accepting, "tests").accepts
    assert (depth.term, depth.ge, depth.doc) == ("max_depth", 0, "How deep.")
    assert (words.min_length, words.max_length, words.min_count, words.max_count) == (2, 9, 1, 3)

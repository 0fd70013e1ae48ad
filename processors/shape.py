"""What is said about a kind of archive file: how to tell it, where its conversations lie, what converts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from .blobs import Members
    from .conversation import Conversation

HEAD: Final = 1 << 18
"""How many bytes of a file are looked at to tell its shape."""
TOPS: Final = ("", "[]")
"""The ways to the objects at the top of a file: one or several, one after the other; or a list of them."""


class Outline(NamedTuple):
    """What the head of a JSON file shows of its structure."""

    paths: frozenset[str]
    """Ways to keys, at most four keys deep: `[].mapping`, `.conversations[].messages[].role`; a list is `[]`.

    Objects that follow each other, one to a line or not, are as one object at the top: `.type`.
    """
    values: dict[str, frozenset[str]]
    """Short texts that stand at these ways: the first few of each."""

    def has(self, *paths: str) -> bool:
        """Whether all of these ways are there."""
        return all(path in self.paths for path in paths)

    def tops(self, *keys: str) -> list[str]:
        """Return the ways to objects at the top that have all of these keys; `messages[].role` is one, too."""
        return [top for top in TOPS if self.has(*(f"{top}.{key}" for key in keys))]

    def has_top(self, *keys: str) -> bool:
        """Whether the objects at the top, in a list or not, have all of these keys."""
        return bool(self.tops(*keys))


class Layout(NamedTuple):
    """Where the elements of a file lie, and what is known of them.

    By default each object at the top, or each item of the list there, is an element.
    """

    wrapper: str = ""
    """The key of the object at the top whose list holds the elements."""
    inner: str = ""
    """The list (or object) in an element that may be too large for memory: read item by item into a SpooledList.

    The items of an object are its `[key, value]` pairs.
    """
    leaves_unread: bool = False
    """Whether the list `inner` stays text until somebody looks into it."""
    gathers: bool = False
    """Whether all objects of the file together are one element, `{"name": file, "items": [...]}`: a session's lines."""
    is_element: Callable[[Any], bool] = lambda value: value.__class__ is dict
    """Tells an element from a smaller object inside one, after a broken stretch."""
    start: re.Pattern[str] | None = None
    """How an element begins, for one too large to be looked at whole."""
    large: int = 4 << 20
    """Bytes from which an element is taken apart."""
    beside: tuple[str, ...] = ()
    """Keys of the wrapper whose values are kept: together one more element, behind those of the list."""


def with_keys(*keys: str) -> Callable[[Any], bool]:
    """Return what tells an element by keys that it has."""
    return lambda value: value.__class__ is dict and all(key in value for key in keys)


def with_tops(*keys: str) -> Callable[[Outline], bool]:
    """Return what tells a file whose objects at the top have all of these keys."""
    return lambda seen: seen.has_top(*keys)


class Shape(NamedTuple):
    """One kind of file that people find in their exports."""

    name: str
    provider: str
    """The family it belongs to: what `:provider` of ArchiveReader names."""
    holds: str
    """What it holds, in words: `ChatGPT conversations`."""
    fits: Callable[[Outline], bool]
    convert: str = ""
    """`module:Class` of the converter, among the processors; empty if there is nothing in it to convert."""
    layout: Layout = Layout()
    html: re.Pattern[bytes] | None = None
    """For a file that is HTML and no JSON: what its head must show. Its whole text is the one element; with a `start` in its
    layout each stretch from one match to the next is one."""
    takes_unread: bool = False
    """Whether the converter can take the inner list unread: it makes all but `messages` and `counts` without it, and its
    messages name no model."""


class About(NamedTuple):
    """Where an element comes from."""

    file: str
    """The name of its file below the archive, with `/`."""
    members: Members
    """The archive's other files: images, sidecars."""


class Converter(Protocol):
    """Turns the elements of one shape into the common model. There is one for each run."""

    def convert(self, element: Any, about: About) -> Conversation:
        """Return the conversation an element holds.

        Raises:
            RunError: it is no conversation.

        """
        ...

import io
import json
import random
from hashlib import sha1

import pytest
from generate_claude import make_conversation, make_message, text_block

from transmissions.processors import json_slices, json_stream, text_window
from transmissions.processors.json_slices import Element
from transmissions.processors.json_stream import Broken, read_elements
from transmissions.processors.shape import Layout
from transmissions.processors.shapes import BY_NAME
from transmissions.processors.spool import SpooledList

LAYOUT = BY_NAME["claude"].layout
THREE = [make_conversation([make_message(1, "human", [text_block(f"Nr {n} {{ é")])], number=n) for n in (1, 2, 3)]


def read(text, **changes):
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    return list(read_elements(io.BytesIO(data), LAYOUT._replace(**changes)))


def values(items):
    return [item.value for item in items if isinstance(item, Element)]


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":"), (",\n ", " : ")])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_every_element_of_a_list_comes_whole(separators, ascii_only):
    """A list gives its elements in order, however it is spaced and escaped."""
    assert values(read(json.dumps(THREE, separators=separators, ensure_ascii=ascii_only))) == THREE


def test_one_object_and_one_to_a_line_are_read_too():
    """An object by itself is one element, and objects on lines are one each."""
    assert values(read(json.dumps(THREE[0]))) == THREE[:1]
    assert values(read("\ufeff" + "\n".join(map(json.dumps, THREE)))) == THREE


def test_offsets_are_bytes():
    """An element's offset and size cut its own bytes out of the file, whatever characters stand before it."""
    data = json.dumps(THREE, ensure_ascii=False).encode()
    for item, value in zip(read(data), THREE, strict=True):
        assert json.loads(data[item.offset : item.offset + item.size]) == value


def test_a_broken_element_costs_no_other():
    """What is broken is given as text with its offset, and reading goes on with the next element."""
    parts = [json.dumps(value) for value in THREE]
    parts[1] = parts[1].replace('"content"', '"content', 1)
    text = f"[{', '.join(parts)}]"
    first, broken, last = read(text)
    assert [first.value, last.value] == [THREE[0], THREE[2]]
    assert isinstance(broken, Broken)
    assert broken.offset == text.index(parts[0]) + len(parts[0]) + 2
    assert text.encode()[broken.offset :].startswith(broken.fragment.encode())


def test_a_file_that_is_cut_off_says_so():
    """The last, incomplete element of a truncated file is given as broken, once; those before it are whole."""
    *whole, broken = read(json.dumps(THREE)[:-30])
    assert values(whole) == THREE[:2]
    assert "ends inside" in str(broken.error)


def test_a_list_that_is_not_closed_is_told_of():
    """Where a file ends between two elements, what came is whole, and a stretch of no bytes says that more may be lost."""
    *whole, end = read(json.dumps(THREE)[:-1])
    assert values(whole) == THREE
    assert ("list is closed" in str(end.error), end.size) == (True, 0)


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_garbage_anywhere_leaves_the_others_whole(cut):
    """Bytes that are no JSON, put anywhere into the second element, cost that element at most."""
    parts = [json.dumps(value).encode() for value in THREE]
    spoilt = parts[1][:cut] + b"\xff}]{\x00" + parts[1][cut:]
    found = values(read(b"[" + b", ".join([parts[0], spoilt, parts[2]]) + b"]"))
    assert [value for value in found if value in (THREE[0], THREE[2])] == [THREE[0], THREE[2]]


def test_a_large_element_is_taken_apart():
    """An element that is larger than the limit keeps its messages in a file, and is equal otherwise."""
    messages = [make_message(n, "human", [text_block("word " * 3000)]) for n in range(200)]
    large = make_conversation(messages, "large", 2, rank=12345, tail={"a": [1, 2.5]})
    items = values(read(json.dumps([THREE[0], large, THREE[2]]), large=65536))
    assert [items[0], items[2]] == [THREE[0], THREE[2]]
    spooled = items[1].pop("chat_messages")
    assert (list(spooled), len(spooled), list(spooled)) == (messages, 200, messages)
    assert items[1] == {key: value for key, value in large.items() if key != "chat_messages"}


def test_a_broken_large_element_costs_no_other():
    """A fault inside an element that is taken apart is found, and the next element too."""
    messages = [make_message(n, "human", [text_block("word " * 3000)]) for n in range(200)]
    large = json.dumps(make_conversation(messages)).replace('"sender": "human"', '"sender": human', 1)
    items = read(f"[{large}, {json.dumps(THREE[2])}]", large=65536)
    assert isinstance(items[0], Broken)
    assert len(items[0].fragment) <= 65536
    assert values(items) == THREE[2:]


def test_bytes_that_are_no_utf8_are_kept_apart():
    """An element with invalid bytes in a text is read; each such byte is a lone surrogate in it."""
    data = json.dumps(THREE[:1]).encode().replace(b"Nr 1", b"Nr \xff1")
    (item,) = read(data)
    assert "Nr \udcff1" in item.value["chat_messages"][0]["content"][0]["text"]
    assert item.size == len(data) - 2


def test_equal_elements_have_equal_digests():
    """A digest is the SHA-1 of an element's bytes, in memory or taken apart, whatever characters are in it."""
    text = json.dumps([THREE[0], THREE[0], THREE[1]], ensure_ascii=False)
    own = [sha1(json.dumps(each, ensure_ascii=False).encode()).hexdigest() for each in (THREE[0], THREE[0], THREE[1])]
    for large in (1 << 20, 64):
        assert [item.digest for item in read(text, large=large)] == own


def test_a_wrapped_list_gives_its_elements():
    """The list under a known key is read, whatever stands beside it, and a fault in it costs one element."""
    text = json.dumps({"user": {"a": [1]}, "conversations": THREE, "more": None})
    assert values(read(text, wrapper="conversations")) == THREE
    first, broken, last = read(text.replace("Nr 2", 'Nr "2'), wrapper="conversations")
    assert [first.value, broken.__class__, last.value] == [THREE[0], Broken, THREE[2]]


def test_an_object_without_the_wrapping_key_is_an_element():
    """What might be a wrapper and holds no list of that name is an element itself."""
    assert values(read(json.dumps(THREE[0]), wrapper="conversations")) == THREE[:1]


def test_a_large_object_inside_an_element_is_taken_in_pairs():
    """An inner object that is too large for memory becomes a spooled list of its keys and values."""
    nodes = {f"n{number}": {"text": "word " * 3000} for number in range(20)}
    (item,) = read_elements(io.BytesIO(json.dumps({"mapping": nodes, "id": 1}).encode()), Layout(inner="mapping", large=65536))
    assert dict(item.value["mapping"]) == nodes
    assert item.value["id"] == 1


@pytest.mark.parametrize("text", ['{"a": ' * 100_000, "[" * 100_000, '{"a": ' * 100_000 + "1" + "}" * 100_000])
def test_what_is_nested_too_deeply_costs_itself(text):
    """A thousand levels are refused like any fault, and the next element is read."""
    items = read(f"[{text}, {json.dumps(THREE[0])}]")
    assert isinstance(items[0], Broken)
    assert values(items) in ([], THREE[:1])


@pytest.mark.parametrize("large", [65536, 1 << 22])
def test_an_element_that_is_not_closed_costs_itself(large):
    """Where the brackets of one element are missing, those behind it are still elements, and not taken for a part of it."""
    many = [make_conversation([make_message(n, "human", [text_block("word " * 500)])], number=n) for n in range(200)]
    text = json.dumps(many).replace("]}, {", ", {", 1)
    broken, *others = read(text, large=large)
    assert isinstance(broken, Broken)
    assert values(others) == many[1:]


@pytest.mark.parametrize("text", ["{" * 500_000, '{"a":1,' * 100_000, json.dumps(THREE * 500).replace("]}, {", ", {")])
def test_hostile_input_ends(text):
    """Input that looks at every place as if an element began there is given up in the end: nothing of it is lost from sight."""
    data = f"[{text}".encode()
    items = read(data)
    assert sum(item.size for item in items) in (len(data) - 1, len(data) - 2)


@pytest.mark.parametrize("chunk", [3, 4, 5, 7, 64])
def test_the_edge_of_the_window_changes_nothing(chunk, monkeypatch):
    """Numbers, escapes, words and characters of several bytes that are cut by the end of a block are put together again."""
    value = [1e300, -12.5e-7, "é\ud83d\n", True, None, {"a": [123456789012345678901234567890, 0.5]}, THREE[0]]
    text = json.dumps(value).replace("\\u00e9", "é")
    monkeypatch.setattr(text_window, "CHUNK", chunk)
    assert values(read(text)) == value


class Failing(io.BytesIO):
    """A stream that cannot be read to its end."""

    def read(self, size=-1):
        if self.tell() == len(self.getvalue()):
            raise OSError("the disk has gone")
        return super().read(size)

    def readinto(self, room):
        """Fill the room as a stream does that knows `read` only."""
        data = self.read(len(room))
        room[: len(data)] = data
        return len(data)


def test_what_was_read_before_a_fault_comes_first():
    """A stream that fails gives every whole element that it has given the text of, and then its fault."""
    items = read_elements(Failing(json.dumps(THREE)[:-1].encode()), LAYOUT)
    assert [next(items).value for _ in THREE] == THREE
    with pytest.raises(OSError, match="gone"):
        next(items)


def test_what_stands_beside_the_list_is_an_element_where_it_is_wanted():
    """Values of the wrapper before and behind its list come together at the end; sizes add up to the file's."""
    text = json.dumps({"before": [1], "list": [{"a": 1}], "behind": {"b": 2}, "other": 3})
    found = read(text, wrapper="list", beside=("before", "behind"), is_element=lambda value: True)
    assert values(found) == [{"a": 1}, {"before": [1], "behind": {"b": 2}}]
    assert found[1].offset + found[1].size == len(text)
    assert values(read(text, wrapper="list", is_element=lambda value: True)) == [{"a": 1}]


def by_text(data, monkeypatch, **changes):
    """Read with all that is told by its bytes left to the reader of text."""
    with monkeypatch.context() as patch:
        patch.setattr(json_stream, "slices", lambda *_: iter(()))
        return read(data, **changes)


def compared(items):
    """Return what must be the same of items, however they were told."""
    for item in items:
        if isinstance(item, Broken):
            yield item.offset, item.size
            continue
        offset, size, digest, value = item.offset, item.size, item.digest, item.value
        inner = value.get("chat_messages") if isinstance(value, dict) else None
        yield offset, size, digest, repr({**value, "chat_messages": [*inner]} if isinstance(inner, SpooledList) else value)


LOOKALIKES = [
    {"uuid": "x", "name": "two", "chat_messages": [{"uuid": "y", "name": "inside"}, {"uuid": "z", "name": "too"}]},
    {"uuid": "1", "name": "as text", "chat_messages": ['{"uuid": "q", "name": "quoted"']},
    {"uuid": "a \\ b", "name": "", "chat_messages": None},
    {"name": "no uuid", "chat_messages": []},
    {"uuid": 7, "name": "a number", "chat_messages": []},
    [],
    {"uuid": "last", "name": "\ud83d \U0001f600", "chat_messages": [float("nan"), 1e400, -0.0]},
]


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":"), (",\n ", " : ")])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_elements_told_by_their_bytes_are_those_told_by_their_text(monkeypatch, separators, ascii_only):
    """What looks like the beginning of an element and is none, and elements that begin otherwise, change nothing."""
    text = json.dumps([*THREE, *LOOKALIKES, *THREE], separators=separators, ensure_ascii=ascii_only)
    data = text.encode("utf-8", "surrogatepass")
    assert [*compared(read(data))] == [*compared(by_text(data, monkeypatch))]


@pytest.mark.parametrize("between", [" " * 300 + ",", ",,", "\n,\n", " x ", ", 1,", ",}"])
def test_what_stands_between_elements_is_in_none(monkeypatch, between):
    """An element ends where its object ends, whatever comes before the next one."""
    data = f"[{between.join(map(json.dumps, THREE))}]".encode()
    assert [*compared(read(data))] == [*compared(by_text(data, monkeypatch))]


@pytest.mark.parametrize("seed", range(100))
def test_what_is_broken_is_told_by_its_bytes_as_by_its_text(monkeypatch, seed):
    """However an archive is damaged, the same elements come whole, and the same stretches are set aside."""
    draw = random.Random(seed)
    data = bytearray(json.dumps([*THREE, *LOOKALIKES, *THREE], ensure_ascii=False).encode("utf-8", "surrogatepass"))
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(data))
        damage = draw.choice(
            [b"", b"\xff", b'"', b"{", b"}", b"]", b",", b"\\", b'{"uuid": "n", "name": "n", "chat_messages": []},']
        )
        data[at : at + draw.choice([0, 1, 1, 30])] = damage
    monkeypatch.setattr(text_window, "CHUNK", 64)
    monkeypatch.setattr(json_slices, "CHUNK", draw.choice([600, 1024]))  # An element has 540 bytes.
    monkeypatch.setattr(json_stream, "CHUNK", 64)
    large = draw.choice([2000, 4 << 20])
    found, wanted = read(bytes(data), large=large), by_text(bytes(data), monkeypatch, large=large)
    assert [*compared(found)] == [*compared(wanted)]


def test_reading_by_bytes_is_taken_up_behind_what_must_be_read_as_text(monkeypatch):
    """A conversation that is broken or too large has its like behind it told by their bytes again."""
    for module in (text_window, json_slices, json_stream):
        monkeypatch.setattr(module, "CHUNK", 1024)
    taken = []
    monkeypatch.setattr(json_stream, "decode", lambda piece: taken.append(1) or json.loads(bytes(piece)))
    whole = [json.dumps(one) for one in THREE * 10]
    read(f"[{', '.join([*whole, whole[0][:-3], *whole, json.dumps({**THREE[0], 'name': 'x' * 5000}), *whole])}]", large=2000)
    assert len(taken) >= 3 * (len(whole) - 4)  # Behind each of the three that end it a kilobyte is read as text.


def test_other_elements_are_read_while_one_is_held():
    """An element is not part of the memory that the next one is read into."""
    elements = iter(read(json.dumps(THREE * 50), leaves_unread=True))
    first = next(elements).value["chat_messages"]
    others = [item.value["chat_messages"] for item in elements]
    assert [*first] == THREE[0]["chat_messages"]
    assert [*others[-1]] == THREE[-1]["chat_messages"]

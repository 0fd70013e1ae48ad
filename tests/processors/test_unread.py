"""Lists that stay JSON until somebody looks into them."""

import json
import pickle
import sys

import pytest
from generate_claude import make_conversation, make_message, text_block
from hypothesis import given
from hypothesis import strategies as st

from transmissions import RunError
from transmissions.message import glance
from transmissions.processors.blobs import Members
from transmissions.processors.claude import Claude
from transmissions.processors.conversation import conversation_of
from transmissions.processors.shape import About
from transmissions.processors.unread import UnreadList, decode, decode_but

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ODD = [
    *(
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"-0",
        b"-0.0",
        b"1E5",
        b"0.1e-500",
        b"123456789012345678901234567890",
        b"1.0",
        b" [1 ] ",
    ),
    *(b'"\x01\t"', b'"\\ud83d"', b'"\\ud83d\\ude00"', b'"\xff\xed\xa0\x80"'),
    *(b'{"a": 1, "b": 2, "a": 3}', b'{"\\ud800": 1}'),
]
BROKEN = [b"", b"[1,]", b"[1] 2", b"01", b"tru", b'"\\q"', b'{"a" 1}', b"1" * 5000]


def same(one, other):
    """Whether two values are equal in kind as well: 1 is not 1.0, and not a number is itself."""
    return repr(one) == repr(other)


@given(VALUES, st.booleans())
def test_any_value_is_decoded_as_json_does(value, ascii_only):
    """Whatever `json` writes is read as `json` reads it, halves of surrogates and numbers that are none too."""
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert same(decode(text), json.loads(text.decode("utf-8", "surrogateescape"), strict=False))


@pytest.mark.parametrize("text", ODD)
def test_what_only_json_takes_is_taken(text):
    """What stricter readers refuse, or might read otherwise, is what `json` makes of it."""
    wanted = json.loads(text.decode("utf-8", "surrogateescape"), strict=False)
    assert same(decode(text), wanted)
    whole = decode_but("list", memoryview(b'{"list": [%b], "value": [%b]}' % (text, text)))
    assert same([*whole["list"]], [wanted])
    assert same(whole["value"], [wanted])


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_json_is_refused(text):
    """What is no JSON, more than one value, or a number too long to be read, is a ValueError, whichever way it is read."""
    with pytest.raises(ValueError, match=r"."):
        decode(text)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=5), st.lists(VALUES, max_size=5), st.booleans())
def test_a_list_that_is_left_unread_is_the_same(others, items, ascii_only):
    """All of an object but one list is there at once; that list has its length, and is what it was when it is looked into."""
    text = json.dumps({**others, "inner": items}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    value = decode_but("inner", memoryview(text))
    inner = value.pop("inner")
    assert len(inner) == len(items)
    wanted = json.loads(text.decode("utf-8", "surrogateescape"), strict=False)
    assert same([*inner], wanted.pop("inner"))
    assert same(value, wanted)


@pytest.mark.parametrize("text", [b"[1, 2]", b'"x"', b'{"inner": null}', b'{"inner": {"a": []}}', b'{"other": [1, [2]]}'])
def test_what_has_no_such_list_is_read_whole(text):
    """A value that is no object, or whose field is no list, is read as any other."""
    assert decode_but("inner", memoryview(text)) == json.loads(text)


@pytest.fixture
def element():
    """Give an element as the archive has it."""
    messages = [make_message(n, "human", [text_block("x" * 5000)]) for n in range(3)]
    return make_conversation([*messages, {"no": "message"}], number=1)


def unread(element):
    return decode_but("chat_messages", memoryview(json.dumps(element).encode()))


def test_a_conversation_of_unread_messages_is_the_same(element):
    """What is made of an element whose messages are unread is what is made of the element, here and in another process."""
    about = About("conversations.json", Members())
    wanted = Claude().convert(element, about)
    late = Claude().convert(unread(element), about)
    there = pickle.loads(pickle.dumps({"conversation": late}))
    assert isinstance(late["messages"], UnreadList)
    assert len(late["messages"]) == len(wanted["messages"])
    assert late["messages"][-1] == wanted["messages"][-1]
    assert dict(late["counts"]) == wanted["counts"]
    assert isinstance(conversation_of(there, may_be_unread=True)["messages"], UnreadList)
    assert conversation_of(there) == wanted
    assert there["conversation"]["messages"].__class__ is list


def test_memory_of_unread_messages_is_seen(element):
    """An unread list takes as much memory as its text: who bounds what waits can tell."""
    late = unread(element)
    size = len(json.dumps(element["chat_messages"]))
    assert sys.getsizeof(late["chat_messages"]) >= size
    assert size <= glance({"element": late}, 1 << 20) < 2 * size


def test_a_glance_reads_nothing():
    """Who asks how much memory a conversation takes leaves it unread."""
    text = b'{"chat_messages": [%b]}' % (b"1" * 5000)
    late = Claude().convert({"name": "Talk", **decode_but("chat_messages", memoryview(text))}, About("", Members()))
    assert glance({"conversation": late}, 1 << 20) >= 5000
    with pytest.raises(RunError, match="cannot be read"):
        conversation_of({"conversation": late})


def test_what_was_changed_in_unread_messages_travels(element):
    """A step may change, add and remove what it looks at; another process gets it as it is then."""
    late = Claude().convert(unread(element), About("", Members()))
    late["messages"][0]["id"] = "changed"
    late["messages"].pop()
    late["counts"]["mine"] = 1
    there = pickle.loads(pickle.dumps({"conversation": late}))["conversation"]
    assert (there["messages"][0]["id"], len(there["messages"]), there["counts"]["mine"]) == ("changed", 3, 1)
    assert there == late

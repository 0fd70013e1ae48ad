"""XMLReader and XMLWriter."""

import pytest

from transmissions import RunError, UsageError
from transmissions.processors.xml_files import XMLReader, XMLWriter

FEED = b"""<?xml version="1.0"?>
<rss xmlns:dc="http://purl.org/dc/terms/"><channel><title>T</title>
<item id="1"><title> A &amp; B </title><tag>x</tag><tag>y</tag><dc:by lang="en">Ada</dc:by><empty/></item>
<item>only text</item>
</channel></rss>"""


def read(bench, data, element="item", **settings):
    (bench.data / "in.xml").write_bytes(data)
    return bench.through(XMLReader(source_file="in.xml", element=element, **settings), {"m": 1})


def write(bench, *messages, **settings):
    assert bench.through(XMLWriter(**settings), *messages) == list(messages)
    return (bench.output / "output.xml").read_text()


def test_every_element_is_a_message(bench):
    """Attributes are `@`, own text is `#text`, what repeats is a list."""
    assert read(bench, FEED) == [
        {"@id": "1", "title": "A & B", "tag": ["x", "y"], "dc:by": {"@lang": "en", "#text": "Ada"}, "empty": ""},
        {"#text": "only text"},
    ]


def test_elements_may_go_into_a_field(bench):
    """With `targetField` the incoming message is kept; lists, lines and exact text on request."""
    data = b"<r>\n<a><b> 1 </b></a></r>"
    items = read(bench, data, "a", target_field="x", lists=("b",), trim=False, line_field="line")
    assert items == [{"m": 1, "x": {"b": [" 1 "], "line": 2}}]


@pytest.mark.parametrize(
    ("path", "count"),
    [("/rss/channel/item", 2), ("channel/item", 2), ("/channel/item", 0), ("rss/item", 0), ("rss/*/item", 2), ("/*/*", 1)],
)
def test_paths_choose_elements(bench, path, count):
    """A path may be whole or an end, and `*` is any name."""
    assert len(read(bench, FEED, path)) == count


@pytest.mark.parametrize(
    ("names", "name"), [("prefix", "dc:by"), ("local", "by"), ("expanded", "{http://purl.org/dc/terms/}by")]
)
def test_names_in_namespaces(bench, names, name):
    """They are as written, bare, or whole; a path uses the same ones."""
    (item,) = read(bench, FEED, name, names=names)
    assert item == {"@lang": "en", "#text": "Ada"}


def test_inner_elements_of_the_same_name_belong_to_the_outer(bench):
    """Only the outermost is a message."""
    assert read(bench, b"<r><a><a>1</a></a></r>", "a") == [{"a": "1"}]


@pytest.mark.parametrize(
    "dtd", [b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>', b'<!DOCTYPE r SYSTEM "file:///etc/passwd">']
)
def test_document_types_are_refused(bench, dtd):
    """Neither entity bombs nor files from elsewhere."""
    with pytest.raises(RunError, match=r"in\.xml:1:\d+: the document declares a document type"):
        read(bench, dtd + b"<r><item>&b;</item></r>")


def test_a_fault_is_located_and_what_was_before_it_is_sent(bench):
    """Elements that were whole come out first."""
    (bench.data / "in.xml").write_bytes(b"<r><a>1</a>\n<a>2</b></r>")
    produced = bench.attach(XMLReader(source_file="in.xml", element="a")).produce({})
    assert next(produced) == {"#text": "1"}
    with pytest.raises(RunError, match=r"in\.xml:2:7: not well-formed XML: mismatched tag"):
        next(produced)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"<r>" + b"<a>" * 300 + b"</a>" * 300 + b"</r>", r"nested deeper than 200"),
        (b"<r>\n<a>" + b"x" * 200_000 + b"</a></r>", r"in\.xml:2: the element 'a' is longer than 1000 bytes"),
        (b"<r><a b='" + b"x" * 200_000 + b"'/></r>", r"longer than 1000 bytes"),
        (b"<r><a><b>", r"in\.xml:1:10: not well-formed XML: it ends before 'b' is closed"),
        (b"<r><a>1</a><a", r"in\.xml:1:12: not well-formed XML: it ends before 'r' is closed"),
        (b"", r"not well-formed XML: there is no element in it"),
        (b'<?xml version="1.0" encoding="nonsense"?><r/>', r"in\.xml:1:"),
    ],
)
def test_what_is_too_much_or_cut_off_is_an_error(bench, data, fault):
    """Depth and size are bounded, and every fault has its place."""
    with pytest.raises(RunError, match=fault):
        read(bench, data, "a", max_element=1000)


def test_other_encodings_are_read_by_their_declaration(bench):
    """UTF-16 and single-byte encodings, too."""
    assert read(bench, '<?xml version="1.0" encoding="iso-8859-15"?><a>é€</a>'.encode("iso-8859-15"), "a") == [{"#text": "é€"}]
    assert read(bench, '<?xml version="1.0" encoding="utf-16"?><a>é</a>'.encode("utf-16"), "a") == [{"#text": "é"}]


@pytest.mark.parametrize("path", ["", "/", "a//b", "a/", "{x"])
def test_a_wrong_path_is_refused(path):
    """Before anything runs."""
    with pytest.raises(UsageError, match="is no path of elements"):
        XMLReader(element=path)


def test_messages_are_written_as_elements(bench):
    """What the reader makes of a file, the writer makes a file of."""
    text = write(bench, {"@id": 'a"<', "t": "x < y", "n": [1, None], "o": {"#text": "z"}}, root="all", namespace="http://e/")
    assert text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<all xmlns="http://e/">\n'
        "<record id='a\"&lt;'><t>x &lt; y</t><n>1</n><n/><o>z</o></record>\n</all>\n"
    )


def test_what_was_written_is_read_again(bench):
    """Objects of text survive the way out and in."""
    items = read(bench, FEED)
    assert read(bench, write(bench, *items).encode(), "record") == items
    assert write(bench) == '<?xml version="1.0" encoding="UTF-8"?>\n<records>\n</records>\n'


@pytest.mark.parametrize(
    ("message", "fault"),
    [({"a b": 1}, "'a b' in 'record' is no name"), ({"a": {"b": "\x00"}}, r"'record\.a\.b' has U\+0000 at 0")],
)
def test_what_xml_cannot_hold_is_an_error(bench, message, fault):
    """It is named, and no file appears."""
    with pytest.raises(RunError, match=fault):
        write(bench, message)
    assert not list(bench.output.iterdir())


def test_wrong_names_are_refused():
    """Before anything runs."""
    with pytest.raises(UsageError, match="'a b' is no name of an XML element"):
        XMLWriter(root="a b")

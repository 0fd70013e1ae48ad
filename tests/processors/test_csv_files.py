"""CSVReader and CSVWriter."""

import asyncio

import pytest

from transmissions import RunError, UsageError
from transmissions.processors.csv_files import CSVReader, CSVWriter


def read(bench, data, **settings):
    (bench.data / "in.csv").write_bytes(data)
    return bench.through(CSVReader(source_file="in.csv", **settings), {"m": 1})


def write(bench, *messages, **settings):
    assert bench.through(CSVWriter(**settings), *messages) == list(messages)
    return (bench.output / "output.csv").read_bytes().decode()


def test_every_row_is_a_message(bench):
    """Names come from the header, quotes and line ends may be in cells, blank rows are passed over."""
    data = b'\xef\xbb\xbfname,note\r\nAda,"a ""b"",\r\nc"\r\n\r\n,\xc3\xa9'
    assert read(bench, data) == [{"name": "Ada", "note": 'a "b",\r\nc'}, {"name": "", "note": "é"}]


def test_rows_may_go_into_a_field_with_their_lines(bench):
    """With `targetField` the incoming message is kept, `lineField` takes where a row begins."""
    items = read(bench, b'a\n"1\n2"\n3\n', target_field="row", line_field="line")
    assert items == [{"m": 1, "row": {"a": "1\n2", "line": 2}}, {"m": 1, "row": {"a": "3", "line": 4}}]


def test_a_field_may_be_read_instead_of_a_file(bench):
    """Text in `inputField` is read like a file, and the messages go without it."""
    step = CSVReader(input_field="body", target_field="row")
    assert bench.through(step, {"m": 1, "body": "a;b\n"}, {"body": "a\n1\n"}) == [{"row": {"a": "1"}}]


def test_columns_choose_or_name(bench):
    """With a header `columns` chooses and orders, without one it gives the names."""
    assert read(bench, b"a,b,c\n1,2,3\n", columns=("c", "a")) == [{"c": "3", "a": "1"}]
    assert read(bench, b"1,2\n", columns=("x", "y"), header=False) == [{"x": "1", "y": "2"}]


def test_types_are_inferred_on_request(bench):
    """Numbers, truth values and null are told from text that only looks alike."""
    cells = ["1", "-2.5e3", "true", "", "007", "1_000", "nan"]
    (item,) = read(bench, f"a,b,c,d,e,f,g\n{','.join(cells)}\n".encode(), types="infer")
    assert list(item.values()) == [1, -2500.0, True, None, "007", "1_000", "nan"]


@pytest.mark.parametrize(
    ("cell", "kind"), [("1234567890123456789", int), ("-12345678901234567890", int), ("9" * 301, str), ("1e999", str)]
)
def test_no_digit_is_lost_to_a_type(bench, cell, kind):
    """Long ids are whole numbers to their last digit, and what no number can hold stays text."""
    (item,) = read(bench, f"a\n{cell}\n".encode(), types="infer")
    assert (type(item["a"]), str(item["a"])) == (kind, cell)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"a,b\r1,2\r", "the header cannot be read: a carriage return stands alone in it"),
        ("a,b\n".encode("utf-16"), r'byte 0 of line 1; it begins as UTF-16 does: set :encoding "utf-16"'),
    ],
)
def test_files_of_other_systems_are_told_as_that(bench, data, fault):
    """Whoever saved a file elsewhere hears what to do with it."""
    with pytest.raises(RunError, match=fault):
        read(bench, data)


def test_an_open_quote_is_told_with_all_it_takes_with_it(bench):
    """A row that goes on to the end of the file is named by its first line and its last."""
    assert read(bench, b'a,b\n1,2\n"x,1\n2,3\n4,5\n') == [{"a": "1", "b": "2"}]
    ((_, told, _),) = bench.rejected
    assert told.endswith("in.csv:3: a quote is not closed before the file ends (lines 3 to 5)")


def test_broken_rows_are_set_aside_with_their_lines(bench):
    """Another number of cells, stray quotes, wrong bytes and an open quote are dead letters, and reading goes on."""
    items = read(bench, b'a,b\n1\n"x"y,2\n\xff,2\n3,4\n"' + b"z\n" * 60 + b"5,6\n", max_row=100)
    assert items[0] == {"a": "3", "b": "4"}
    assert items[-1] == {"a": "5", "b": "6"}
    assert [fields["line"] for _, _, fields in bench.rejected[:4]] == [2, 3, 4, 6]
    faults = [
        "1 cells where 2 belong",
        "expected after",
        "invalid start byte at byte 0 of line 4",
        "longer than 100",
    ]
    assert all(fault in told for fault, (_, told, _) in zip(faults, bench.rejected, strict=False))


def test_a_line_without_end_is_never_held(bench):
    """Of a row that is too long only its beginning is kept."""
    assert read(bench, b"a\n" + b"x" * 300_000 + b"\n1\n", max_row=1000) == [{"a": "1"}]
    assert len(bench.rejected[0][0]) == 200


def test_ragged_rows_may_be_filled(bench):
    """Absent cells are null, and what is too much is a list of its own."""
    items = read(bench, b"a,b\n1\n1,2,3\n", ragged="fill")
    assert items == [{"a": "1", "b": None}, {"a": "1", "b": "2", "extraCells": ["3"]}]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-32-le"])
def test_other_encodings(bench, encoding):
    """One where a line feed is more than one byte is read too."""
    assert read(bench, "a\té\n1\tü\n".encode(encoding), encoding=encoding, delimiter="\t") == [{"a": "1", "é": "ü"}]


def test_a_wide_encoding_that_breaks_is_located(bench):
    """After wrong bytes in UTF-16 nothing can be told apart, so the run fails with the line."""
    with pytest.raises(RunError, match=r"in\.csv:\d: not utf-16"):
        read(bench, "a\n1\n".encode("utf-16") + b"\x00\xd8", encoding="utf-16")


def test_the_dialect_may_be_guessed(bench):
    """On request the delimiter is found in the file."""
    assert read(bench, b"a;b\n1,5;2\n3,5;4\n", sniff=True)[0] == {"a": "1,5", "b": "2"}


@pytest.mark.parametrize(
    ("data", "settings", "fault"),
    [
        (b"a,b,a\n", {}, r"in\.csv:1: two columns are called 'a'"),
        (b"name\n", {"columns": ("nmae",)}, r"in\.csv:1: there is no column 'nmae'; did you mean"),
        (b'"a\n', {}, r"in\.csv:1: the header cannot be read"),
        (b"a\n" * 9, {"sniff": True}, "cannot be guessed"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(bench, data, settings, fault):
    """What is wrong with the header concerns every row."""
    with pytest.raises(RunError, match=fault):
        read(bench, data, **settings)


@pytest.mark.parametrize("settings", [{"delimiter": ";;"}, {"delimiter": ""}, {"encoding": "utf-99"}, {"header": False}])
def test_impossible_settings_are_refused(settings):
    """Before anything runs."""
    with pytest.raises(UsageError):
        CSVReader(source_file="x", **settings)


def test_messages_are_written_as_rows(bench):
    """The first message names the columns; what is absent or null is empty, what is nested is JSON."""
    text = write(bench, {"a": 1, "b": 'x,"y"'}, {"b": None}, {"a": True, "b": [1, {"c": "é"}]})
    assert text == 'a,b\r\n1,"x,""y"""\r\n,\r\ntrue,"[1, {""c"": ""é""}]"\r\n'


def test_columns_are_dotted_paths(bench):
    """Named columns choose, the header holds their paths, and without messages it is there too."""
    text = write(bench, {"a": {"b": 1}, "c": 2}, columns=("a.b", "d"), delimiter="\t", line_end="lf", byte_order_mark=True)
    assert text == "\ufeffa.b\td\n1\t\n"
    assert write(bench, columns=("x",), quoting="all") == '"x"\r\n'
    assert write(bench) == ""


def test_a_field_the_first_message_had_not_is_never_lost_silently(bench):
    """It is an error, unless told to be ignored."""
    with pytest.raises(RunError, match="the first message had no field b"):
        write(bench, {"a": 1}, {"a": 1, "b": 2})
    assert not list(bench.output.iterdir())
    assert write(bench, {"a": 1}, {"a": 1, "b": 2}, extra_fields="ignore", header=False) == "1\r\n1\r\n"


def test_formulas_are_guarded_on_request(bench):
    """Text that a spreadsheet would run gets an apostrophe; numbers stay numbers."""
    text = write(bench, {"a": "=1+1", "b": -5, "c": "-5"}, guard_formulas=True, header=False)
    assert text == "'=1+1,-5,'-5\r\n"


def test_what_was_written_is_read_again(bench):
    """Any text survives, half a character pair as a replacement character."""
    rows = [{"a": 'q"\r\n,;', "b": "\u2028 \x0b"}, {"a": "", "b": "\ud83d"}]
    data = write(bench, *rows).encode()
    assert read(bench, data) == [rows[0], {"a": "", "b": "\N{REPLACEMENT CHARACTER}"}]


def test_a_failed_run_leaves_the_old_file(bench):
    """Nothing appears under the name, and nothing temporary stays."""
    bench.output.mkdir()
    (bench.output / "output.csv").write_text("old")

    async def fail():
        async with bench.attach(CSVWriter()) as writer:
            writer.process({"a": 1})
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(fail())
    assert [path.read_text() for path in bench.output.iterdir()] == ["old"]

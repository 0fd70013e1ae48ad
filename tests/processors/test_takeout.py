import pytest
from importing import blocks, conversations, imported, samples

from transmissions import RunError
from transmissions.processors import reading
from transmissions.processors.blobs import Blob
from transmissions.processors.local_times import instant_of, is_time
from transmissions.processors.shape import About
from transmissions.processors.shapes import BY_NAME
from transmissions.processors.takeout import TakeoutActivities, TakeoutPages
from transmissions.processors.takeout_page import activities

PAGES = [sample for sample in samples("gemini-takeout") if sample.shape == "gemini-takeout-page"]
CELL = '<div class="outer-cell"><div class="content-cell">Prompted&nbsp;{}<br>Nov 2, 2025, 10:11:12 AM CET<br>{}</div></div>'


def test_each_activity_is_a_conversation():
    """A prompt and its answer are two messages; the verb before the prompt is not the user's word."""
    first = conversations("gemini-takeout")[0]
    assert [(message["role"], message["created"]) for message in first["messages"]] == [
        ("human", "2026-02-14T08:15:30.120Z"),
        ("assistant", "2026-02-14T08:15:30.120Z"),
    ]
    assert blocks(first)[0]["text"] == "Which bread keeps longest without a freezer?"
    assert "| Rye | 7 |" in blocks(first)[1]["text"]


def test_an_activity_in_an_unknown_language_keeps_its_title_whole():
    """A title whose verb nobody knows is not cut."""
    sample = samples("gemini-takeout")[0]
    found = imported(sample, {**sample.element, "title": "Gefragt: was?"})
    assert blocks(found)[0]["text"] == "Gefragt: was?"


def test_pages_and_json_name_files_once_and_find_them():
    """Files that an activity names, however often, come with their content where the Takeout holds them."""
    files = [message["files"] for conversation in conversations("gemini-takeout") for message in conversation["messages"]]
    named = [(file["name"], "content" in file) for given in files for file in given]
    assert named == [("loaf-3f2a.png", True), ("missing.pdf", False), ("laib.png", True)]


def test_a_page_in_another_language_is_read_by_its_cells():
    """Prompt, files, time and answer are told apart by their order, in German as well."""
    first, second, third = (imported(page) for page in PAGES)
    assert blocks(first)[0]["text"] == "Wie lange hält sich Brot?\nBitte kurz & knapp."
    assert first["created"] == "2026-02-14T08:15:30Z"
    assert blocks(second)[0]["text"] == "Was ist auf dem Bild?"
    assert len(third["messages"]) == 1


def test_an_answer_may_hold_anything():
    """Divisions and times in an answer do not end it."""
    (found,) = activities(CELL.format("a<br>b", "<div><div>x</div></div><p>2.11.2025, 10:11:12 MEZ</p>last"))
    assert found["title"] == "Prompted a\nb"
    assert found["safeHtmlItem"] == [{"markdown": "x\n\n2.11.2025, 10:11:12 MEZ\n\nlast"}]


def test_a_piece_without_an_activity_is_refused():
    """A cell without a prompt is no conversation, and neither are two in one."""
    for page in ("<div class='outer-cell'></div>", CELL.format("a", "b") * 2):
        with pytest.raises(RunError, match="cells with a prompt"):
            TakeoutPages().convert(page, About("MyActivity.html", PAGES[0].members))
    with pytest.raises(RunError, match="neither 'title' nor"):
        TakeoutActivities().convert({"header": "Gemini Apps"}, About("a.json", PAGES[0].members))


@pytest.mark.parametrize("length", [10, 3_000_000])
def test_a_page_is_read_cell_by_cell(length, tmp_path):
    """The pieces of a page say where they lie, in bytes, and nothing after its first cell is left out."""
    page = "\ufeff<html><style>ü</style>" + "".join(CELL.format(f"{n} é", "x" * length) for n in range(3)) + "</html>"
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    blob = Blob(tmp_path / "a.html", "a.html", (tmp_path / "a.html").stat().st_size)
    found = list(reading.read_part(blob, BY_NAME["gemini-takeout-page"], 1 << 22))
    data = blob.read()
    assert [data[item.offset : item.offset + item.size].decode() for item in found] == [item.value for item in found]
    assert "".join(item.value for item in found) == page[page.index("<div") :]
    assert len(found) == 3


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("Nov 2, 2025, 10:11:12\u202fPM CET", "2025-11-02T21:11:12Z"),
        ("2 Nov 2025, 00:11:12 GMT", "2025-11-02T00:11:12Z"),
        ("02.11.2025, 10:11:12 MEZ", "2025-11-02T09:11:12Z"),
        ("2025/11/02 10:11:12 JST", "2025-11-02T01:11:12Z"),
        ("2 de nov. de 2025, 10:11:12 GMT-3", "2025-11-02T13:11:12Z"),
        ("2 нояб. 2025 \u0433., 10:11:12 MSK", "2025-11-02T07:11:12Z"),
        ("2025. 11. 2. 오후 10:11:12 KST", "2025-11-02T13:11:12Z"),
        ("2025年11月2日 10:11:12 CST", "2025-11-02T02:11:12Z"),
        ("Nov 2, 2025, 10:11:12 AM CST", "2025-11-02T16:11:12Z"),
        ("2 de nov. de 2025, 10:11:12 BRT", "2025-11-02T13:11:12Z"),
        ("2 Kas 2025 10:11:12 TRT", "2025-11-02T07:11:12Z"),
        ("2 лист. 2025 \u0440., 10:11:12 EET", "2025-11-02T08:11:12Z"),
        ("2 Des 2025 10.11.12 WIB", "2025-12-02T03:11:12Z"),
        ("2 Nov 2025, 10:11:12 SGT", "2025-11-02T02:11:12Z"),
        ("2 nov 2025, 10:11:12 XYZ", "2025-11-02T10:11:12"),
        ("99.99.2025, 10:11:12", ""),
    ],
)
def test_times_are_read_as_people_write_them(line, time):
    """A line with a date and a time of day is a time in any of the common forms, in UTC if its zone is known."""
    assert is_time(line)
    assert instant_of(line) == time


@pytest.mark.parametrize("line", ["Prompted 2025", "at 10:11:12", "", "2025-01-01 10:00", "log of 2025: <x> 10:11:12 [y]"])
def test_other_lines_are_no_times(line):
    """A line is a time only if it has a year and a time to the second, and no more than belongs there."""
    assert not is_time(line)


def test_an_activity_without_an_answer_has_its_time():
    """The time may be the last thing in a cell, without anything to end its line."""
    cell = '<div class="outer-cell"><div class="content-cell">Used a feature<br>Nov 2, 2025, 10:11:12 AM CET</div></div>'
    found = TakeoutPages().convert(cell, About("MyActivity.html", PAGES[0].members))
    assert (found["created"], found["messages"][0]["blocks"][0]["text"]) == ("2025-11-02T09:11:12Z", "Used a feature")


@pytest.mark.parametrize(
    "verb",
    [
        *("Prompted", "Eingegebener Prompt:", "Prompt saisi :", "Requête envoyée\xa0:", "Petición:", "Instrucción del prompt:"),
        *(
            "Prompt inserito:",
            "Comando inserido:",
            "Wpisany prompt:",
            "Запрос:",
            "送信したメッセージ:",
            "已提交的提示\uff1a",
            "입력한 프롬프트:",
        ),
    ],
)
def test_the_words_before_a_prompt_are_not_the_user_s(verb):
    """In other languages they are few, one of them for a prompt, and end with a colon; what the user wrote may look so too."""
    element = {"header": "Gemini", "title": f"{verb}\xa0My prompt: why?", "time": "2026-03-12T10:00:00Z"}
    assert blocks(imported(samples("gemini-takeout")[0], element))[0]["text"] == "My prompt: why?"


def test_what_somebody_did_is_not_what_they_said():
    """Activities without a question are events; with an answer below it, the same words are a question."""
    said = "Created Gemini Canvas titled Tides"
    sample = next(sample for sample in samples("gemini-takeout") if sample.shape == "gemini-takeout")
    deed = imported(sample, {"header": "Gemini Apps", "title": said, "time": "2026-01-01T00:00:00Z"})
    assert [(block["kind"], block["text"]) for block in blocks(deed)] == [("event", said)]
    assert deed["title"] == said
    asked = imported(sample, {"title": said, "time": "2026-01-01T00:00:00Z", "safeHtmlItem": [{"html": "No."}]})
    assert [block["kind"] for block in blocks(asked)] == ["text", "text"]

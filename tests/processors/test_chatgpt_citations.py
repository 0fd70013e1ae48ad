import pytest
from chat_trees import about, chain, message, text

from transmissions.processors.chatgpt import ChatGPTConverter
from transmissions.processors.chatgpt_citations import clean

MARK = "\ue200cite\ue202turn0search1\ue201"
PAGE = {"url": "https://example.org/a", "title": "A"}


def reference(matched, start=-1, **more):
    return {"matched_text": matched, "start_idx": start, "end_idx": start + len(matched), **more}


def links(cleaned):
    return [(citation["end"], citation["url"], citation["title"]) for citation in cleaned.citations]


@pytest.mark.parametrize("start", [4, -1])
def test_a_mark_becomes_a_citation_where_it_stood(start):
    """A mark is found by its place, else by its text."""
    found = clean(f"Yes.{MARK} No.", {"content_references": [reference(MARK, start, items=[PAGE])]})
    assert (found.text, links(found), found.unmatched) == ("Yes. No.", [(4, PAGE["url"], "A")], 0)


def test_brackets_with_a_dagger_are_marks_too():
    """The older marks find the citation of their place; an uploaded file has a name instead of an address."""
    told = {"start_ix": 1, "end_ix": 11, "metadata": {"type": "file", "name": "notes.pdf"}}
    found = clean("A【1†source】.", {"citations": [told]})
    assert (found.text, links(found)) == ("A.", [(1, "", "notes.pdf")])


def test_places_counted_in_another_way_are_taken_in_order():
    """As many marks as citations, and none at its place: the first belongs to the first."""
    told = [{"start_ix": place, "end_ix": place + 3, "metadata": {"url": f"u:{place}"}} for place in (70, 90)]
    found = clean("a【1†s】b【2†s】", {"citations": told})
    assert links(found) == [(1, "u:70", ""), (2, "u:90", "")]


@pytest.mark.parametrize("text", ["a \ue200x\ue202 b", "a \ue200cite\ue202turn0", "a【9†source】", "a \ue201", "a \ue202b"])
def test_marks_without_a_source_are_removed_and_counted(text):
    """What is left holds no mark."""
    found = clean(text, {})
    assert (found.unmatched, found.citations) == (1, [])
    assert not set(found.text) & {"\ue200", "\ue201", "\ue202", "†"}


@pytest.mark.parametrize(
    ("mark", "shown"),
    [
        ('\ue200entity\ue202["city","Lima","in Peru"]\ue201', "Lima"),
        ("\ue200url\ue202a page\ue202turn0\ue201", "a page"),
        ("\ue200entity\ue202[broken\ue201", "[broken"),
        ("\ue200video\ue202A clip\ue202turn0video1\ue201", "A clip"),
        ('\ue200products\ue202{"selections":[["turn0product1","A lamp"],["turn0product2","A rug"]]}\ue201', "A lamp, A rug"),
        ('\ue200genui\ue202{"math_block":{"content":"x^2"}}\ue201', "x^2"),
    ],
)
def test_marks_that_hold_words_leave_them(mark, shown):
    """What a reader was shown stays in the text."""
    assert clean(f"in {mark}!", {}).text == f"in {shown}!"


def test_sources_without_a_mark_are_kept_once():
    """A list of sources at the end adds those that are neither cited nor in the text."""
    sources = [PAGE, {"url": "https://example.org/b", "title": "B"}, {"url": "u:told", "title": ""}]
    references = [reference(MARK, 1, items=[PAGE]), reference(" ", 90, sources=sources)]
    found = clean(f"a{MARK} u:told", {"content_references": references})
    assert links(found) == [(1, PAGE["url"], "A"), (8, "https://example.org/b", "B")]


def test_pictures_in_an_answer_are_sources():
    """A picture that the app showed from the web is named with its own address, not that of its preview."""
    picture = {"url": "https://preview.example", "content_url": "https://picture.example", "title": "P"}
    for shown in (picture, {"image_result": picture, "image_search_query": "q"}):
        found = clean(f"a{MARK}", {"content_references": [reference(MARK, 1, images=[shown])]})
        assert links(found) == [(1, "https://picture.example", "P")]


def test_people_may_write_such_marks():
    """What a person wrote is left as it is."""
    (told,) = ChatGPTConverter().convert(chain(message("user", text("a【1†b】"))), about())["messages"]
    assert told["blocks"][0]["text"] == "a【1†b】"


def test_the_account_tells_of_lost_marks():
    """A conversation says how many marks were removed without a source."""
    found = ChatGPTConverter().convert(chain(message("assistant", text("a【1†b】", "c【2†d】"))), about())
    assert found["skipped"] == {"citation mark": {"skipped: its source is not in the archive": 2}}

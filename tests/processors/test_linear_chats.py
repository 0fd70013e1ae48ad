import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from importing import SAMPLES, blocks, check_account, conversations, imported, samples, spoil

from transmissions import RunError
from transmissions.processors.spool import SpooledList

FOLDERS = ("ai-studio", "api-logs", "gemini-takeout", "grok", "le-chat", "lm-studio", "perplexity", "sharegpt")
SPOOLED = {
    "grok": "responses",
    "le-chat": "items",
    "lm-studio": "messages",
    "sharegpt": "conversations",
    "api-logs": "messages",
}
ALL = [sample for folder in FOLDERS for sample in samples(folder)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_block_of_a_sample_is_accounted_for(folder):
    """What the archive holds, counted there, is what the conversations hold."""
    for conversation in conversations(folder):
        check_account(conversation)


@pytest.mark.parametrize("folder", FOLDERS)
def test_ids_are_stable_and_tell_conversations_apart(folder):
    """A second run gives the same ids, and no two conversations of a sample share one."""
    first, second = ([conversation["id"] for conversation in conversations(folder)] for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(ALL), st.randoms(use_true_random=False))
def test_no_odd_value_stops_the_conversion(sample, random):
    """However an element is spoilt, it becomes a conversation whose account balances, or is refused as a whole."""
    try:
        conversation = imported(sample, spoil({"it": sample.element}, random).get("it"))
    except RunError:
        return
    check_account(conversation)
    assert all(isinstance(conversation[key], str) for key in ("id", "title", "created", "updated", "url", "model", "leaf"))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([sample for sample in ALL if sample.shape == "gemini-takeout-page"]), st.data())
def test_a_page_may_be_cut_anywhere(sample, data):
    """A cell of a page that ends early, or has a piece missing, is an activity or none, and nothing else happens."""
    page = sample.element
    start = data.draw(st.integers(0, len(page)))
    end = data.draw(st.integers(start, len(page)))
    mended = page[:start] + data.draw(st.sampled_from(["", "<![x[", "</div>", "<p"])) + page[end:]
    with contextlib.suppress(RunError):
        check_account(imported(sample, mended))


@pytest.mark.parametrize("folder", SPOOLED)
def test_a_list_in_a_file_gives_the_same_conversation(folder):
    """Items that were set aside on disk become the same messages, however often one goes through them."""
    key = SPOOLED[folder]
    sample = next(sample for sample in samples(folder) if isinstance(sample.element, dict) and sample.element.get(key))
    spooled = SpooledList()
    items = sample.element[key]
    for item in sorted(items, key=lambda item: item["createdAt"]) if folder == "le-chat" else items:
        spooled.append(item)
    whole, apart = imported(sample), imported(sample, {**sample.element, key: spooled})
    check_account(apart)
    assert list(apart["messages"]) == whole["messages"]
    assert apart | {"messages": 0} == whole | {"messages": 0}


def test_what_is_unknown_is_kept():
    """A part of a type that nobody knows stands in the conversation as it stood in the archive."""
    kept = [block["type"] for sample in ALL for block in blocks(imported(sample)) if block["kind"] == "unknown"]
    assert {"hologram", "custom_element", "citationBlock", "plan", "safeHtmlItem"} <= set(kept)


def test_samples_are_small():
    """A sample is read by people."""
    assert all(path.stat().st_size < 12_000 for folder in FOLDERS for path in (SAMPLES / folder).rglob("*"))

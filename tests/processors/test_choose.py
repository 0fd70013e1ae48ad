import pytest
from chats import arriving, chat, text

from transmissions import UsageError
from transmissions.processors.choose import ConversationFilter
from transmissions.processors.conversation_places import ConversationPlaces

MADE = {"kind": "artifact", "artifact": {"command": "create"}, "sources": ("text",)}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, None),
        ({"since": "2026-03-07"}, None),
        ({"since": "2026-03-08"}, "since"),
        ({"since": "2026-03-06", "until": "2026-03-07"}, None),
        ({"until": "2026-03"}, None),
        ({"until": "2026-02"}, "until"),
        ({"until": "2025"}, "until"),
        ({"until": "2026-03-07T12:00Z"}, None),
        ({"since": "2026-03-07T12:00:04Z", "by": "updated"}, None),
        ({"title": "(?i)TALK$"}, None),
        ({"title": "walk"}, "title"),
        ({"ids": ("0000aa",)}, None),
        ({"ids": ("11111111-2222-4333-8444-0000000000aa", "x")}, None),
        ({"ids": ("0000ab",)}, "ids"),
        ({"providers": ("grok",)}, "providers"),
        ({"model": "opus"}, "model"),
        ({"kinds": ("project",)}, "kinds"),
        ({"artifacts": "with"}, "artifacts"),
        ({"artifacts": "without"}, None),
        ({"empty": "drop"}, None),
    ],
)
def test_what_does_not_fit_is_left_out_and_counted(bench, settings, reason):
    """A conversation goes on as it is, or without itself and with an account that names the setting against it."""
    (message,) = bench.through(ConversationFilter(**settings), {"conversation": chat()})
    if reason is None:
        assert "conversation" in message
    else:
        assert message["account"]["became"] == {"conversation": {f"skipped: filtered by {reason}": 1}}


def test_models_artifacts_and_emptiness_are_looked_for_in_messages(bench):
    """A model that one message names counts, and so does what one message makes."""
    message = {"id": "", "role": "assistant", "created": "", "model": "claude-opus-4", "blocks": [text("x"), MADE]}
    kept = chat(messages=[message])
    assert "conversation" in bench.through(ConversationFilter(model="opus", artifacts="with"), {"conversation": kept})[0]
    empty = chat(messages=[])
    assert "conversation" not in bench.through(ConversationFilter(empty="drop"), {"conversation": empty})[0]


def test_a_conversation_without_a_date_is_in_no_stretch_of_time(bench):
    """What has no date is left out where dates count."""
    (message,) = bench.through(ConversationFilter(since="2000"), {"conversation": chat(created="")})
    assert "conversation" not in message


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"title": "("}, "no regular expression"),
        ({"since": "soon"}, "'soon' is no date"),
        ({"until": "2026-13"}, "is no date"),
        ({"since": "2026-03", "until": "2026-02-28"}, "nothing is since '2026-03' and until '2026-02-28'"),
    ],
)
def test_a_wrong_filter_is_refused_at_once(settings, said):
    """A pattern or date that is none is an error before anything runs."""
    with pytest.raises(UsageError, match=said):
        ConversationFilter(**settings)


@pytest.mark.parametrize("identifier", ["WEB:abc-one", ""])
def test_digits_in_the_name_of_a_file_are_an_id(bench, identifier):
    """An id that is none of digits is found by those that stand for it in the name of its page."""
    (placed,) = bench.through(ConversationPlaces(), arriving(chat(identifier)))
    ids = (placed["place"]["id"],)
    (message,) = bench.through(ConversationFilter(ids=ids), arriving(chat(identifier)))
    assert "conversation" in message


def test_a_chat_without_a_title_has_that_of_its_page(bench):
    """Who looks for words finds them in the title that the index shows."""
    asked = {"id": "", "role": "human", "created": "", "blocks": [text("Plant the beds")]}
    (message,) = bench.through(ConversationFilter(title="beds"), {"conversation": chat(title="", messages=[asked])})
    assert "conversation" in message

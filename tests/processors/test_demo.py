"""NumberSource and Delay."""

from transmissions.processors.demo import Delay, NumberSource


def test_numbers_are_sent_with_their_payload(bench):
    """Each message has its number, a text of the size asked for, and what came in."""
    assert bench.through(NumberSource(count=2, payload_size=3), {"m": 1}) == [
        {"m": 1, "number": 0, "content": "xxx"},
        {"m": 1, "number": 1, "content": "xxx"},
    ]


def test_a_delayed_message_is_unchanged(bench):
    """Delay only takes time."""
    assert bench.through(Delay(delay=0), {"m": 1}) == [{"m": 1}]

"""What is known of one conversation in a Claude Code log while its records go by."""

from __future__ import annotations

from typing import Any, Final

from .session_groups import Tally
from .session_tools import dict_at, number_at, text_at, time_at

_TOKENS: Final = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write": "cache_creation_input_tokens",
}


def model_of(record: Any) -> str:
    """Return the model that wrote a record; empty where the program itself did, which calls itself `<synthetic>`."""
    model = text_at(dict_at(record, "message"), "model")
    return "" if model == "<synthetic>" else model


def tokens_of(record: Any) -> dict[str, int]:
    """Return the tokens a record's message says it took; empty if it says nothing."""
    usage = dict_at(dict_at(record, "message"), "usage")
    spent = {name: number_at(usage, key) for name, key in _TOKENS.items()}
    return spent if any(spent.values()) else {}


class Chain:
    """One conversation of the file: the session itself, or a sub-agent's within it."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.created = ""
        self.updated = ""
        self.copied = ""
        self.model = ""
        self.leaf = -1
        self.last = -1
        self.messages = 0
        self.tokens: dict[str, int] = {}
        self.tally = Tally()
        self._spent: tuple[int, dict[str, int]] = (-1, {})

    def see(self, record: Any) -> None:
        """Take note of a record's time and model."""
        time = time_at(record)
        if time[:1].isdigit():
            self.created = min(self.created or time, time)
            self.updated = max(self.updated, time)
        self.model = model_of(record) or self.model

    def see_copy(self, record: Any) -> None:
        """Take note of the time of a record that is left out, for a session that has no other."""
        self.copied = time_at(record) or self.copied

    def spend(self, number: int, record: Any) -> None:
        """Add up tokens. The records of one message repeat its usage; the last has it whole."""
        spent = tokens_of(record)
        if not spent:
            return
        before = self._spent[1] if self._spent[0] == number else {}
        for name, tokens in spent.items():
            self.tokens[name] = self.tokens.get(name, 0) + max(tokens - before.get(name, 0), 0)
        self._spent = (number, spent)

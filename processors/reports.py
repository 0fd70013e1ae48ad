"""The account of a conversion: what was found, and what became of every message and block."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

from transmissions import Processor, write_whole

from .arrivals import OLDER
from .latest_values import LatestValues

if TYPE_CHECKING:
    from transmissions import Message

Figures = dict[str, int]


class ConversionReport(Processor):
    """Draw up the account of a conversion, and write it as JSON when all is done.

    Takes `account` (what the archive held, and what was made of it), `written` and `redacted`. The report says for messages,
    blocks, attachments and files how many there were, and how many were rendered, folded or skipped, and why; `balanced` says
    whether it adds up. It holds no time and no path of the machine: two runs over one archive differ only in what they had
    to write.

    ```turtle
    :report a :ConversionReport ; :file "report.json" .
    ```
    """

    stateful = True

    file: str = "report.json"
    "Where the report goes: below the run's output folder."

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self._inputs: list[Any] = []
        self._found: Figures = defaultdict(int)
        self._became: dict[str, Figures] = defaultdict(partial(defaultdict, int))
        self._conversations: Figures = {"converted": 0, "without messages": 0}
        self._written: Figures = {"pages": 0, "files": 0, "bytes": 0, "unchanged": 0}
        self._redacted: Figures = defaultdict(int)
        self._latest = LatestValues()
        """What was counted of each conversation: a newer version takes the place of the one that came before it."""

    def process(self, message: Message) -> Message:
        """Take the message into account and pass it on without the figures."""
        account, key = message.pop("account", None), message.get("key")
        earlier = self._latest.replace(key, [account, bool(message.get("written"))]) if key else None
        if earlier:
            self._take_back(*earlier)
        self._take_account(account, is_placed="key" in message)
        if "redacted" in message:
            _add(self._redacted, message.pop("redacted"))
        if "written" in message:
            self._take_files(message["written"])
        return message

    def _take_files(self, written: list[list[Any]]) -> None:
        changed = [size for _, _, size, is_changed in written if is_changed]
        self._written["pages"] += bool(written)
        self._written["files"] += len(changed)
        self._written["bytes"] += sum(changed)
        self._written["unchanged"] += len(written) - len(changed)

    def _take_account(self, account: dict[str, Any] | None, *, is_placed: bool) -> None:
        if account is None:  # No page was made: what came is told, but not what became of each part.
            self._conversations["converted"] += is_placed
            return
        counts, became = account["found"], account["became"]
        found = _by_kind(counts)
        _add(self._found, found)
        # What a step leaves out as a whole, it leaves out with everything in it.
        whole = became.get("conversation")
        left = next((outcome for outcome in whole if outcome.startswith("skipped")), "") if whole else ""
        if left:
            became = became | {kind: {f"{left} conversation": number} for kind, number in found.items() if number}
        else:
            self._conversations["converted"] += 1
            self._conversations["without messages"] += not counts["messages"]
        for kind, outcomes in became.items():
            _add(self._became[kind], outcomes)

    def _take_back(self, account: dict[str, Any] | None, had_page: bool) -> None:
        """Count a conversation that was converted as an older version: what was made of it is there no more."""
        self._written["pages"] -= had_page
        self._conversations["converted"] -= 1
        if account is None:
            _add(self._became["conversation"], {OLDER: 1})
            return
        counts = account["found"]
        self._conversations["without messages"] -= not counts["messages"]
        _subtract(self._found, _by_kind(counts))
        for kind, outcomes in account["became"].items():
            _subtract(self._became[kind], outcomes)
        self._take_account({"found": counts, "became": {"conversation": {OLDER: 1}}}, is_placed=True)

    def end_group(self, message: Message) -> None:
        """Take down what the reader found in an archive, or in several."""
        found = message.get("input")
        self._inputs += found if isinstance(found, list) else [found] if found else []

    def finish(self) -> list[Message]:
        """Write the report, and send it on as the last message."""
        report = self.report()
        self.context.emit("summary", text=_summary(self._conversations["converted"], self._left_out(), self._written))
        text = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
        write_whole(self.context.output_path(self.file, of_run=True), text.encode(errors="replace"))
        return [{"report": report}]

    def _arrivals(self) -> Figures:
        """Count the conversations: what was found and did not come here is among the dead letters."""
        came = self._conversations["converted"] + self._left_out()
        # Dead letters that are tried again come from no archive that was gone through.
        found = sum(archive["elements"] + archive["broken"] for archive in self._inputs if archive) if self._inputs else came
        outcomes = self._became.get("conversation", {})
        missing = found - came
        figures = {"found": found, **self._conversations, **_sorted(outcomes)}
        return figures | {"set aside": missing} if missing > 0 else figures

    def _left_out(self) -> int:
        outcomes = self._became.get("conversation", {})
        return sum(number for outcome, number in outcomes.items() if outcome.startswith("skipped"))

    def _filter(self) -> dict[str, Any]:
        """Return what a filter in front was set to: who reads a part must know that it is one."""
        nodes = (node for node in self.context.plan.nodes() if node.type.endswith("/ConversationFilter"))
        return {name: value for node in nodes for name, value in node.settings.items()}

    def report(self) -> dict[str, Any]:
        """Return the report as it stands."""
        kinds = sorted({"message", "attachment", "file", *self._found})
        accounts = {kind: {"found": self._found.get(kind, 0), **_sorted(self._became.get(kind, {}))} for kind in kinds}
        blocks = {kind.removeprefix("block "): account for kind, account in accounts.items() if kind.startswith("block ")}
        beside = {kind: outcomes for kind, outcomes in self._became.items() if kind not in {*kinds, "conversation"}}
        also = {kind: dict(outcomes) for kind, outcomes in beside.items() if outcomes}
        return {
            "input": self._inputs,
            "filter": self._filter(),
            "conversations": self._arrivals(),
            "messages": accounts["message"],
            "blocks": blocks,
            "attachments": accounts["attachment"],
            "files": accounts["file"],
            "also": _sorted(also),
            "redacted": _sorted(self._redacted),
            "written": self._written,
            "balanced": all(2 * account["found"] == sum(account.values()) for account in accounts.values()),
        }


def _add(figures: Figures, more: Figures) -> None:
    for name, number in more.items():
        figures[name] += number


def _subtract(figures: Figures, fewer: Figures) -> None:
    for name, number in fewer.items():
        figures[name] -= number
        if not figures[name]:
            del figures[name]


def _by_kind(counts: dict[str, Any]) -> Figures:
    found = {"message": counts["messages"], "attachment": counts["attachments"], "file": counts["files"]}
    return found | {f"block {name}": number for name, number in counts["blocks"].items()}


def _sorted(figures: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(figures.items()))


def _summary(conversations: int, left_out: int, written: Figures) -> str:
    out = f", {left_out} left out" if left_out else ""
    unchanged = f", {written['unchanged']} unchanged" if written["unchanged"] else ""
    return f"{_several(conversations, 'conversation')}{out}, {_several(written['files'], 'file')} written{unchanged}"


def _several(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

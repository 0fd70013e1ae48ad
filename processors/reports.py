"""The account of a conversion: what was found, and what became of every message and block."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from transmissions import Processor, write_whole

if TYPE_CHECKING:
    from transmissions import Message


class ConversionReport(Processor):
    """Draw up the account of a conversion, and write it as JSON when all is done.

    Takes `account` (what the archive held, and what was made of it) and `written`. The report says for messages, blocks,
    attachments and files how many there were, and how many were rendered, folded or skipped, and why; `balanced` says
    whether it adds up. It holds no time and no path of the machine: two runs over one archive give the same report.

    ```turtle
    :report a :ConversionReport ; :file "report.json" .
    ```
    """

    file: str = "report.json"
    "Where the report goes: below the run's output folder."

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self._inputs: list[Any] = []
        self._read: dict[str, int] = {}
        self._became: dict[str, dict[str, int]] = {}
        self._conversations = {"converted": 0, "without messages": 0}
        self._written = {"pages": 0, "bytes": 0}

    def process(self, message: Message) -> Message:
        """Take the message into account and pass it on without the figures."""
        account = message.pop("account")
        counts, became = account["found"], account["became"]
        self._conversations["converted"] += 1
        self._conversations["without messages"] += not counts["messages"]
        kinds = {"message": counts["messages"], "attachment": counts["attachments"], "file": counts["files"]}
        is_duplicate = "skipped: duplicate" in became.get("conversation", ())
        for kind, number in (*kinds.items(), *((f"block {name}", number) for name, number in counts["blocks"].items())):
            self._read[kind] = self._read.get(kind, 0) + number
            if is_duplicate and number:
                self._note(kind, {"skipped: in a duplicate conversation": number})
        for kind, outcomes in became.items():
            self._note(kind, outcomes)
        written = message["written"]
        beside = sum(became.get(kind, {}).get("written", 0) for kind in ("artifact file", "attachment file"))
        self._written["pages"] += len(written) - beside
        self._written["bytes"] += sum(size for _, size in written)
        return message

    def _note(self, kind: str, outcomes: dict[str, int]) -> None:
        total = self._became.setdefault(kind, {})
        for outcome, number in outcomes.items():
            total[outcome] = total.get(outcome, 0) + number

    def end_group(self, message: Message) -> None:
        """Take down what the reader found in one archive."""
        self._inputs.append(message.get("input"))

    def finish(self) -> list[Message]:
        """Write the report, and send it on as the last message."""
        report = self.report()
        self.context.emit("summary", text=f"{self._conversations['converted']} conversations, {self._written['pages']} pages")
        text = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
        write_whole(self.context.output_path(self.file), text.encode(errors="replace"))
        return [{"report": report}]

    def _arrivals(self) -> dict[str, int]:
        """Count the conversations: what was found and did not come here is among the dead letters."""
        found = sum(archive["elements"] + archive["broken"] for archive in self._inputs if archive)
        figures = {"found": found, **self._conversations}
        missing = found - figures["converted"]
        return figures | {"set aside": missing} if missing > 0 else figures

    def report(self) -> dict[str, Any]:
        """Return the report as it stands."""
        read = {"message", "attachment", "file", *self._read}
        accounts = {kind: {"found": self._read.get(kind, 0), **_sorted(self._became.get(kind, {}))} for kind in sorted(read)}
        blocks = {kind.removeprefix("block "): account for kind, account in accounts.items() if kind.startswith("block ")}
        also = {kind: outcomes for kind, outcomes in self._became.items() if kind not in {*read, "conversation"}}
        return {
            "input": self._inputs,
            "conversations": self._arrivals() | self._became.get("conversation", {}),
            "messages": accounts["message"],
            "blocks": blocks,
            "attachments": accounts["attachment"],
            "files not in the archive": accounts["file"],
            "also": _sorted(also),
            "written": self._written,
            "balanced": all(2 * account["found"] == sum(account.values()) for account in accounts.values()),
        }


def _sorted(figures: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(figures.items()))

"""Makes Claude exports for tests and benchmarks: small ones by hand, large ones by number. The same seed makes the same file.

python tests/generate_claude.py FILE --mb 200 --seed 1
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NO_PARENT = "00000000-0000-4000-8000-000000000000"
WORDS = [
    "stream",
    "node",
    "graph",
    "config",
    "turtle",
    "pipe",
    "message",
    "queue",
    "buffer",
    "parser",
    "context",
    "signal",
    "batch",
    "token",
    "route",
    "élan",
    "größe",
    "数据",
]


def text_block(text: str, **more: Any) -> dict[str, Any]:
    """Return a block of text."""
    return {"type": "text", "text": text, "citations": [], **more}


def tool_blocks(name: str, given: Any, result: str = "OK", identifier: str | None = None, **more: Any) -> list[dict[str, Any]]:
    """Return a call and its result; without an id they belong together by their order."""
    call = {"type": "tool_use", "id": identifier, "name": name, "input": given}
    answer = {"type": "tool_result", "name": name, "content": [{"type": "text", "text": result}], "is_error": False, **more}
    return [call, {**answer, "tool_use_id": identifier} if identifier else answer]


def make_message(number: int, sender: str, content: list[Any] | None, **more: Any) -> dict[str, Any]:
    """Return a message; `content` None makes one of 2023, that has flat text only."""
    time = (datetime(2026, 3, 7, 12, tzinfo=UTC) + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    message = {
        "uuid": f"019cc82f-7e61-7db9-8000-{number:012x}",
        "text": "",
        "sender": sender,
        "created_at": time,
        "updated_at": time,
    }
    message |= {} if content is None else {"content": content}
    return {**message, "attachments": [], "files": [], **more}


def make_conversation(messages: list[Any], name: Any = "A talk", number: int = 1, **more: Any) -> dict[str, Any]:
    """Return a conversation as an export holds it."""
    return {
        "uuid": f"7352ddcc-bebe-4ba3-b94b-{number:012x}",
        "name": name,
        "created_at": "2026-03-07T12:00:00.000000Z",
        "updated_at": "2026-03-07T13:00:00.000000Z",
        "account": {"uuid": "11111111-1111-4111-8111-111111111111"},
        "chat_messages": messages,
        **more,
    }


def sample() -> list[dict[str, Any]]:
    """Return an archive with something of every generation in it: what the app converts when it is given nothing."""
    return [_sample_2024(), _sample_2025(), _sample_2026(), _sample_unnamed()]


def _sample_2024() -> dict[str, Any]:
    code = "class StreamMonitor:\n    def see(self, chunk):\n        self.chunks += 1\n        return chunk"
    kind = 'type="application/vnd.ant.code" language="python"'
    tag = f'<antArtifact identifier="stream-monitor" {kind} title="StreamMonitor">\n{code}\n</antArtifact>'
    use = "# How to use it\n\nPut it between two steps."
    answer = f"<antThinking>A small class will do.</antThinking>\n\nHere is a monitor:\n\n{tag}\n\n{use}"
    return make_conversation(
        [
            make_message(1, "human", [text_block("How can I watch a stream?")], text="How can I watch a stream?"),
            make_message(2, "assistant", [text_block(answer)], text=answer),
        ],
        'Watching a stream: ../../etc/passwd <or not> "quoted" #1',
        1,
        created_at="2024-11-30T22:29:56.938448Z",
    )


def _sample_2025() -> dict[str, Any]:
    made = {
        "id": "limits",
        "type": "text/markdown",
        "title": "Limits",
        "command": "create",
        "content": "# Limits\n\nAt most 10 items.\n",
    }
    edit = {"id": "limits", "command": "update", "old_str": "10 items", "new_str": "20 items"}
    found = "Backpressure keeps a fast source from drowning a slow sink."
    cited = [
        {
            "uuid": "c1",
            "start_index": 0,
            "end_index": 20,
            "details": {"type": "web_search_citation", "url": "https://example.org/backpressure"},
        }
    ]
    leaked = "The user wants limits.```\nThis block is not supported on your current device yet.\n```"
    return make_conversation(
        [
            make_message(
                1, "human", [text_block("Write down our limits.")], attachments=[_notes()], files=[{"file_name": "sketch.png"}]
            ),
            make_message(
                2,
                "assistant",
                [
                    {"type": "thinking", "thinking": "The user wants limits.", "summaries": [{"summary": "Weighing limits"}]},
                    *tool_blocks("web_search", {"query": "backpressure"}, found),
                    {**text_block("Buffers are bounded.\n\nHere they are:"), "citations": cited},
                    *tool_blocks("artifacts", made),
                ],
                text=leaked,
            ),
            make_message(3, "human", [text_block("Make it twenty.")]),
            make_message(4, "assistant", [*tool_blocks("artifacts", edit), text_block("Twenty it is.")]),
        ],
        "Grenzen für Puffer 数据 🚀",
        2,
        created_at="2025-06-01T09:00:00.000000Z",
        summary="Limits of buffers were agreed on.",
    )


def _notes() -> dict[str, Any]:
    return {
        "file_name": "notes.txt",
        "file_size": 31,
        "file_type": "txt",
        "extracted_content": "at most 10 items\n```\nnot yet\n```\n",
    }


def _sample_2026() -> dict[str, Any]:
    path = "/mnt/user-data/outputs/pipe.ttl"
    made = {"path": path, "file_text": ":pipe ( :read :write ) .\n", "description": "the pipe"}
    edit = {"path": path, "old_str": ":read :write", "new_str": ":read :buffer :write"}
    date = {"type": "injected_prompt_block", "prompt": "The current date is 2026-03-07.", "injection_source": "date_note"}
    first, second = (
        make_message(1, "human", [date, text_block("Draw a pipe.")]),
        make_message(3, "human", [text_block("Add a bufer.")]),
    )
    answer = [*tool_blocks("create_file", made, f"File created: {path}", "toolu_1"), text_block("Done.")]
    changed = [
        *tool_blocks("str_replace", edit, "Replaced.", "toolu_2"),
        {"type": "token_budget", "remaining": 100},
        text_block("Buffered."),
    ]
    edited = make_message(4, "human", [text_block("Add a buffer.")])
    messages = [first, make_message(2, "assistant", answer), second, edited, make_message(5, "assistant", changed)]
    parents = [NO_PARENT, first["uuid"], messages[1]["uuid"], messages[1]["uuid"], edited["uuid"]]
    for message, parent in zip(messages, parents, strict=True):
        message["parent_message_uuid"] = parent
    return make_conversation(messages, "A pipe, drawn", 3)


def _sample_unnamed() -> dict[str, Any]:
    return make_conversation(
        [make_message(1, "human", None, text="Is anybody there?")], "", 4, created_at="2023-09-01T08:00:00.000000Z"
    )


class Numbers:
    """Makes conversations of every generation, one after the other, from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def words(self, length: int) -> str:
        picked = self._random.choices(WORDS, k=max(1, length // 6))
        return "\n\n".join(" ".join(picked[start : start + 40]) for start in range(0, len(picked), 40))

    def length(self, scale: float = 1.0) -> int:
        return int(min(400_000, self._random.lognormvariate(6.5, 1.2) * scale)) + 8

    def conversation(self, number: int) -> dict[str, Any]:
        count = 2 + 2 * int(self._random.lognormvariate(1.0, 0.8))
        kind = self._random.choice((self._tags, self._artifacts, self._files))
        pairs = (self._pair(number * 1000 + 2 * index, kind) for index in range(count // 2))
        return make_conversation([message for pair in pairs for message in pair], self.words(40), number)

    def _pair(self, number: int, kind: Any) -> list[dict[str, Any]]:
        ask, say = self.words(self.length() // 3), self.words(self.length())
        attached = (
            [{"file_name": "paste.txt", "file_type": "txt", "extracted_content": self.words(self.length(4))}]
            if number % 13 == 0
            else []
        )
        code = "\n".join(f"line_{index} = '{word}'" for index, word in enumerate(self.words(self.length()).split()))
        content = [text_block(f"{say}\n\n```python\n{code[:300]}\n```"), *(kind(number, code) if number % 5 == 0 else [])]
        return [
            make_message(number, "human", [text_block(ask)], text=ask, attachments=attached),
            make_message(number + 1, "assistant", content, text=say),
        ]

    def _tags(self, number: int, code: str) -> list[dict[str, Any]]:
        kind = 'type="application/vnd.ant.code" language="python"'
        return [text_block(f'<antArtifact identifier="a{number}" {kind} title="Part {number}">\n{code}\n</antArtifact>')]

    def _artifacts(self, number: int, code: str) -> list[dict[str, Any]]:
        given = {
            "id": f"a{number}",
            "type": "application/vnd.ant.code",
            "language": "python",
            "title": "Part",
            "command": "create",
        }
        edit = {"id": f"a{number}", "command": "update", "old_str": "line_0", "new_str": "first_line"}
        return [*tool_blocks("artifacts", {**given, "content": code}), *tool_blocks("artifacts", edit)]

    def _files(self, number: int, code: str) -> list[dict[str, Any]]:
        return tool_blocks(
            "create_file", {"path": f"/home/claude/part_{number}.py", "file_text": code}, "made", f"toolu_{number}"
        )


def write_archive(path: Path, megabytes: float, seed: int = 1) -> int:
    """Write an export of about so many megabytes, and return how many conversations it holds."""
    numbers, number, written = Numbers(seed), 0, 0
    with path.open("w", encoding="ascii") as stream:
        stream.write("[")
        while written < megabytes * 1e6:
            number += 1
            written += stream.write((", " if number > 1 else "") + json.dumps(numbers.conversation(number)))
        stream.write("]")
    return number


def write_giant(path: Path, megabytes: float, seed: int = 1) -> int:
    """Write an export with one conversation of about so many megabytes, and return how many messages it has."""
    numbers, number, written = Numbers(seed), 0, 0
    head = json.dumps(make_conversation([], "A giant"))
    with path.open("w", encoding="ascii") as stream:
        stream.write("[" + head[:-2])
        while written < megabytes * 1e6:
            for message in numbers._pair(2 * number, numbers._files):
                written += stream.write((", " if written else "") + json.dumps(message))
            number += 1
        stream.write("]}]")
    return 2 * number


def write_zip(path: Path, files: dict[str, Any]) -> Path:
    """Write a ZIP of JSON files and texts, and return its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, value in files.items():
            packed.writestr(name, value if isinstance(value, str) else json.dumps(value))
    return path


def write_layouts(folder: Path, conversations: list[Any]) -> list[Path]:
    """Write one export in every way that one comes: a file, a folder, a ZIP, a manifest with its parts; return the paths."""
    beside = {
        "projects.json": [{"uuid": "p-1", "name": "A project", "prompt_template": "Be brief.", "docs": []}],
        "memories.json": [{"account_uuid": "a-1", "conversations_memory": "Likes tea.", "project_memories": {}}],
        "users.json": [{"uuid": "a-1", "full_name": "Ada", "email_address": "ada@example.org"}],
    }
    plain, parts = folder / "export", folder / "parts"
    for each in (plain, parts):
        each.mkdir()
    for name, value in {"conversations.json": conversations, **beside}.items():
        (plain / name).write_text(json.dumps(value), encoding="ascii")
    half = len(conversations) // 2
    packed = {
        "conversations-000.zip": {"conversations.json": conversations[half:]},
        "conversations-001.zip": {"conversations.json": conversations[:half]},
        "projects-000.zip": {"projects/p-1.json": beside["projects.json"][0]},
        "memories-000.zip": {"memories/a-1.json": {**beside["memories.json"][0], "memory_files": []}},
        "light_metadata-000.zip": {"users.json": beside["users.json"], "login_history.json": {"login_events": []}},
    }
    listed = [{"category": name[:-8], "part": 0, "filename": name, "export_url": "https://example.org"} for name in packed]
    (parts / "manifest-1.json").write_text(json.dumps({"version": "1.0", "data_files": listed}), encoding="ascii")
    for name, files in packed.items():
        write_zip(parts / name, files)
    return [
        plain / "conversations.json",
        plain,
        write_zip(folder / "export.zip", {"conversations.json": conversations, **beside}),
        parts,
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make a Claude export.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--mb", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--giant", action="store_true", help="one conversation only")
    chosen = parser.parse_args()
    sys.stdout.write(str((write_giant if chosen.giant else write_archive)(chosen.file, chosen.mb, chosen.seed)) + "\n")

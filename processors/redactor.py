"""Takes secrets out of texts, of JSON values of any depth, and of the contents of files."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from transmissions import UsageError

from .credentials import is_credential
from .finds import Finds
from .private_keys import LONGEST
from .secrets import SHORT, Span, apart, find_secrets
from .spool import Spool, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .spool import Content

CUSTOM: Final = "custom"
_AHEAD: Final = LONGEST + 1024
_BEHIND: Final = 512
"""Bytes in front of a secret that say what it is."""
_BLOCK: Final = 1 << 20
_HEAD: Final = 8192


_MARK: Final = re.compile(r"\[redacted:(\w+)\]")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]{5,18}(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_WORD: Final = 16
_NAMES: Final = re.compile(
    r"pass|pwd|psk|secret|token|auth|cookie|mnemonic|phrase|[a-z][_-]?key|contrase|kennwort|wachtwoord|senha|пароль|密码",
    re.IGNORECASE,
)


class Redactor:
    """The rules of one run."""

    def __init__(self, kinds: Iterable[str], keep: Iterable[str] = (), also: Iterable[str] = ()) -> None:
        self._kinds = frozenset(kinds)
        self._keep_texts = frozenset(keep)
        self._keep = tuple(_compiled(pattern, "keep") for pattern in self._keep_texts)
        self._also = tuple(_compiled(pattern, "also") for pattern in also)

    def spans(self, data: bytes) -> list[Span]:
        """Return the secrets in some bytes, in order, without those to be kept."""
        spans = find_secrets(data, self._kinds)
        if self._also:
            spans = apart([*spans, *self._own(data)])
        return [span for span in spans if not self._is_kept(data[span.start : span.end])] if self._keep else spans

    def text(self, text: str, finds: Finds) -> str:
        """Return a text without its secrets."""
        data = text.encode(errors="surrogatepass")
        spans = self.spans(data)
        return _marked(data, spans, finds).decode(errors="surrogatepass") if spans else text

    def identifier(self, text: str, finds: Finds | None = None) -> str:
        """Return an id as it is, or another of its own where a secret is in it: what others refer to stays apart."""
        data = text.encode(errors="surrogatepass")
        if not self.spans(data):
            return text
        if finds is not None:
            self._step(".id", text, finds)
        return f"redacted-{blake2b(data, digest_size=12).hexdigest()}"

    def scrub(self, text: str) -> str:
        """Return a text without its secrets, and count none."""
        return self.text(text, Finds())

    def name(self, path: str, finds: Finds) -> str:
        """Return the path of a file without its secrets, and still fit to be one."""
        stem, dot, extension = path.rpartition(".")
        alone = self.scrub(stem) + dot + extension
        clean = self.text(path, finds)
        # `me@example.org.md` is a page whose name is an address.
        return _MARK.sub(r"redacted-\1", alone if dot and self.scrub(alone) == alone else clean)

    def value(self, value: Any, finds: Finds) -> Any:
        """Return a JSON value without the secrets in its texts and keys; the same object if there is none."""
        return self._walk(value, finds) if self._is_suspect(value) else value

    def content(self, content: Content, finds: Finds) -> Content:
        """Return what is to be a file without its secrets; the same object if there is none, or if it is no text."""
        if isinstance(content, bytes):
            spans = [] if _is_binary(content) else self.spans(content)
            return _marked(content, spans, finds) if spans else content
        if _is_binary(next(iter(pieces(content)), b"")) or not any(spans for _, spans in self._stretches(pieces(content))):
            return content
        return _spooled(_marked(data, spans, finds) for data, spans in self._stretches(pieces(content)))

    def _stretches(self, blocks: Iterable[bytes]) -> Iterator[tuple[bytes, list[Span]]]:
        """Yield the bytes of a file in stretches, each with its secrets; none lies across two."""
        buffer, done = b"", 0
        for block in blocks:
            buffer += block
            if len(buffer) < _BLOCK:
                continue
            spans = [span for span in self.spans(buffer) if span.start >= done]
            cut = next((span.start for span in spans if span.end > len(buffer) - _AHEAD), len(buffer) - _AHEAD)
            cut = min(cut, len(buffer) - _AHEAD)
            yield _stretch(buffer, done, cut, spans)
            behind = max(0, cut - _BEHIND)
            buffer, done = buffer[behind:], cut - behind
        spans = [span for span in self.spans(buffer) if span.start >= done]
        yield _stretch(buffer, done, len(buffer), spans)

    def _own(self, data: bytes) -> Iterator[Span]:
        """Yield what the user's own expressions find; they are written for characters, not for bytes."""
        text = data.decode(errors="surrogateescape")
        for pattern in self._also:
            for found in pattern.finditer(text):
                if found.end() > found.start():
                    start = len(text[: found.start()].encode(errors="surrogateescape"))
                    yield Span(start, start + len(found[0].encode(errors="surrogateescape")), CUSTOM)

    def _is_kept(self, secret: bytes) -> bool:
        text = secret.decode(errors="replace")
        return text in self._keep_texts or any(pattern.fullmatch(text) for pattern in self._keep)

    def _is_suspect(self, value: Any) -> bool:
        """Whether there may be a secret anywhere in a value: looked for in all its texts at once, which is quick."""
        texts: list[str] = []
        return _gather(value, texts) or bool(self.spans("\0".join(texts).encode(errors="surrogatepass")))

    def _walk(self, value: Any, finds: Finds) -> Any:
        if isinstance(value, str):
            return self.text(value, finds)
        if isinstance(value, list | tuple):
            return type(value)([self._step(f"[{place}]", item, finds) for place, item in enumerate(value)])
        if not isinstance(value, dict):
            return value
        fresh: dict[Any, Any] = {}
        for key, item in value.items():
            name = _free(self.text(key, finds), fresh) if isinstance(key, str) else key
            whole = self._names_credential(key, item)
            fresh[name] = self._whole(name, item, finds) if whole else self._step(f".{name}", item, finds)
        return fresh

    def _step(self, step: str, item: Any, finds: Finds) -> Any:
        finds.way.append(step)
        try:
            return self._walk(item, finds)
        finally:
            finds.way.pop()

    def _names_credential(self, key: Any, item: Any) -> bool:
        """Whether a field is named and filled like `"password": "hunter2"`; text in which more stands is looked at as text."""
        if "credential" not in self._kinds or not (isinstance(item, str) and isinstance(key, str) and _NAMES.search(key)):
            return False
        data = item.encode(errors="surrogatepass")
        return is_credential(key, item) and not self.spans(data) and not self._is_kept(data)

    def _whole(self, name: str, item: str, finds: Finds) -> str:
        data = item.encode(errors="surrogatepass")
        finds.way.append(f".{name}")
        marked = _marked(data, [Span(0, len(data), "credential")], finds).decode()
        finds.way.pop()
        return marked


def _compiled(pattern: str, setting: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(f"{setting}: '{pattern}' is no regular expression: {error}") from error


def _marked(data: bytes, spans: list[Span], finds: Finds) -> bytes:
    parts: list[bytes] = []
    done = 0
    for number, span in enumerate(spans):
        finds.note(data, spans, number)
        parts += (data[done : span.start], b"[redacted:", span.kind.encode(), b"]")
        done = span.end
    return b"".join((*parts, data[done:]))


def _gather(value: Any, texts: list[str]) -> bool:
    """Add all texts in a value to `texts`, but those too short for a secret; return whether a field is named like one."""
    named = False
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if len(item) > SHORT and not (item[4:5] == "-" and _TIME.fullmatch(item)):
                texts.append(item)
        elif isinstance(item, dict):
            stack.extend(item.values())
            named |= _gather_keys(item, texts)
        elif isinstance(item, list | tuple):
            stack.extend(item)
    return named


def _gather_keys(item: dict[Any, Any], texts: list[str]) -> bool:
    named = False
    for key, inner in item.items():
        is_plain, is_named = _kind_of(key) if isinstance(key, str) else (True, False)
        named |= is_named and isinstance(inner, str)
        if not is_plain:
            texts.append(key)
    return named


@lru_cache(4096)
def _kind_of(key: str) -> tuple[bool, bool]:
    """Return whether a key is a plain word, and whether it names a credential."""
    return key.isidentifier() and len(key) < _WORD, _NAMES.search(key) is not None


def _free(key: str, taken: dict[Any, Any]) -> str:
    """Return a key that is not taken yet: two addresses would be one key."""
    number, free = 2, key
    while free in taken:
        number, free = number + 1, f"{key} {number}"
    return free


def _is_binary(data: bytes) -> bool:
    return b"\0" in data[:_HEAD]


def _stretch(buffer: bytes, start: int, end: int, spans: list[Span]) -> tuple[bytes, list[Span]]:
    moved = [span._replace(start=span.start - start, end=span.end - start) for span in spans if span.end <= end]
    return buffer[start:end], moved


def _spooled(stretches: Iterable[bytes]) -> Content:
    spool = Spool()
    return [spool.put(data) for data in stretches]

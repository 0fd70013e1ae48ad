"""Open a chat archive: a file, a folder or a ZIP, known by its shape, read one conversation at a time."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

from transmissions import Dynamic, Range, RunError, Source, Unit, UsageError, suggestion

from .archive_account import Tally, account_of, what_is_there
from .blobs import Members, joined
from .conversation import as_list
from .inputs import Archive, Part
from .json_stream import Broken
from .manifest import SHAPES as MANIFESTS
from .manifest import read_manifest
from .reading import read_again, read_part
from .shape import Shape
from .shapes import EMPTY, PROVIDERS
from .zip_archive import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message

    from .json_slices import Element
    from .packed import Unpacked

_STRIDE: Final = 1 << 20
_ANY: Final = ("any", "json")
_JSON: Final = Shape("json", "json", "JSON", lambda seen: bool(seen.paths))


class ArchiveReader(Source):
    """Read a chat archive of any kind, one conversation after the other, however large it is.

    The archive is a file (a list of conversations, one conversation, one to a line, a session), a folder or a ZIP, or a
    folder of ZIPs; what is in a tar, or compressed with gzip, bz2, xz or zstd, is unpacked into a temporary folder. What a
    file holds is told by its shape, not its name. A conversation that is broken is set aside as a dead letter with the byte
    it starts at, and reading goes on with the next one; so it does with the next file where one cannot be read.

    ```turtle
    :read a :ArchiveReader ; :archive "conversations.json" ; :provider "claude" .
    ```

    Each message holds one conversation as it stands in the archive, in `element`; `shape` says of what kind it is, `source`
    where it stood (`archive`, `file` in it, `offset` and `size` in bytes), `members` gives the archive's other files, and those
    of archives listed with it, and `digest` is equal for equal ones. Then ConversationImporter, or a converter of your own,
    makes something of it. At the end `input` of the message that named the archive tells what was found, for ConversionReport.
    """

    archive: Annotated[str, Dynamic()] = "."
    "The file, folder or ZIP, looked up in the working folder; a field `archive` of the message wins, which may list several."
    provider: str = "any"
    "Whose conversations to read: `claude`, `chatgpt` and so on; `any` reads all that are known, `json` any JSON as it is."
    large_element: Annotated[int, Range(ge=65536), Unit("bytes")] = 4 << 20
    "A conversation longer than this is taken apart message by message, in a temporary file."
    unread: bool = False
    "Leave messages as JSON until a step looks at them, best one in Workers: for Claude. A fault in them is found there only."
    max_ratio: Annotated[int, Range(ge=1)] = 200
    "What is packed may unpack to so many times its packed size (under 16 MiB to any)."
    max_unpacked: Annotated[int, Range(ge=1), Unit("bytes")] = 64 << 30
    "A file that is packed may unpack to so much."

    def __post_init__(self) -> None:
        """Refuse a provider nobody knows."""
        known = (*_ANY, *PROVIDERS)
        if self.provider not in known:
            raise UsageError(
                f"no provider '{self.provider}'{suggestion(self.provider, known) or '; there are ' + ', '.join(known)}"
            )
        self._has_read = False
        self._faults: list[str] = []
        """Why there was nothing to read in an archive. What that means is known when all have been looked at."""
        self._refused: list[tuple[str, str]] = []
        """Those of them that nobody was told of yet, with the archive's name."""
        self._unpacked: list[Unpacked] = []
        """What was unpacked of each archive: steps behind this one read images there until the run ends."""

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield the conversations of the archive that `message` names."""
        is_one = isinstance(self.dynamic(message, "archive"), str)
        archives = [self._open(path) for path in self._paths(message)]
        shapes = [[self._shape_to_read(part) for part in archive.parts] for archive in archives]
        accounts = [account_of(*given) for given in zip(archives, shapes, strict=True)]
        message["input"] = accounts[0] if is_one else accounts
        names = [part.blob.name for archive in archives for part in archive.parts]
        members = joined([archive.members() for archive in archives])
        for archive, wanted, account, found in zip(archives, shapes, accounts, members, strict=True):
            if not any(wanted):
                self._refuse(archive, is_alone=len(archives) == 1)
                continue
            for part in archive.parts:
                if part.fault:
                    self.context.skip(part.fault, file=part.blob.name)
            self._check_parts(archive, account, names)
            yield from self._read(archive, wanted, account, found)

    def finish(self) -> None:
        """Fail where no archive had anything to read; one among others is only told of."""
        if self._faults and not self._has_read:
            raise RunError(self._faults[0])
        for fault, name in self._refused:
            self.context.skip(fault, file=name)

    def foresee(self, message: Message) -> Iterator[str]:
        """Yield, for a dry run, what each file of the archive is found to hold."""
        for part in (part for path in self._paths(message) for part in self._open(path).parts):
            verdict = "to be read" if self._shape_to_read(part) else "cannot be read" if part.fault else "not to be read"
            yield f"{part.blob.name}: {part.fault or part.holds}, {len(part.blob)} bytes, {verdict}"

    def retry(self, letter: dict[str, Any]) -> Iterator[Message]:
        """Yield what becomes of a dead letter of this reader when its piece of input is read again."""
        archive: Archive | None = None
        with contextlib.suppress(RunError):  # Most letters can do without their archive.
            archive = self._open(self.context.input_path(str(letter.get("archive"))))
        members = archive.members() if archive else Members()
        for shape, item in read_again(letter, archive, self.large_element):
            if isinstance(item, Broken):
                self._set_aside(str(letter.get("file")), shape, Path(str(letter.get("archive"))), item)
            else:
                yield _message(_Origin(str(letter.get("archive")), str(letter.get("file"))), shape, item, members)

    def _paths(self, message: Message) -> list[Path]:
        """Return where the archives lie that a message names: one, or several that belong together."""
        return [self.context.input_path(str(path)) for path in as_list(self.dynamic(message, "archive"))]

    def _refuse(self, archive: Archive, *, is_alone: bool) -> None:
        """Note why there is nothing to read; an empty list, or attachments of another archive, are nothing to complain of."""
        fault = next((part.fault for part in archive.parts if part.fault), "")
        if not fault and any(part.shape is EMPTY for part in archive.parts):
            self._has_read = True
            return
        name = "" if self.provider in _ANY else f"{self.provider} "
        self._faults.append(fault or f"no {name}conversations in '{archive.path}'; {what_is_there(archive.parts)}")
        if is_alone or fault or not archive.may_be_attachments:
            self._refused.append((self._faults[-1], archive.path.name))

    def _open(self, path: Path) -> Archive:
        archive = Archive(path, Limits(ratio=self.max_ratio, unpacked=self.max_unpacked))
        self._unpacked.append(archive.folder)
        return archive

    def _shape_to_read(self, part: Part) -> Shape | None:
        if self.provider == "json":
            return _JSON if part.is_json and len(part.blob) else None
        shape = part.shape
        return shape if shape and shape.convert and self.provider in ("any", shape.provider) else None

    def _check_parts(self, archive: Archive, account: dict[str, Any], names: list[str]) -> None:
        manifests = [part for part in archive.parts if part.shape and part.shape.name in MANIFESTS]
        for manifest in manifests:
            for missing in read_manifest(manifest.blob).missing(names):
                account.setdefault("missing", []).append(missing)
                reason = f"a part of the export is missing: '{missing}' is listed in '{manifest.blob.name}'"
                self.context.skip(reason, file=missing)

    def _read(
        self, archive: Archive, shapes: list[Shape | None], account: dict[str, Any], members: Members
    ) -> Iterator[Message]:
        wanted = [
            (part, shape, entry) for part, shape, entry in zip(archive.parts, shapes, account["files"], strict=False) if shape
        ]
        total = sum(len(part.blob) for part, _, _ in wanted)
        before = 0
        for part, shape, entry in wanted:
            tally = Tally(account, entry)
            for item in self._items(part, shape, tally):
                if tally.steps(_STRIDE):
                    self.context.emit("progress", done=before + tally.done, total=total, unit="bytes")
                if isinstance(item, Broken):
                    self._set_aside(part.blob.name, shape, archive.path, item)
                else:
                    yield _message(_Origin(str(archive.path), part.blob.name), shape, item, members)
            before += len(part.blob)
        self.context.emit("progress", done=total, total=total, unit="bytes")
        if account["faults"] and not account["elements"] + account["broken"]:
            self._faults.append(account["faults"][0])
        else:
            self._has_read = True

    def _items(self, part: Part, shape: Shape, tally: Tally) -> Iterator[Element | Broken]:
        """Yield what is in a file; a file that cannot be read to its end costs the rest of itself."""
        try:
            for item in read_part(part.blob, shape, self.large_element, unread=self.unread):
                tally.take(item)
                yield item
        except (RunError, OSError) as error:
            tally.fail(str(error))
            self.context.skip(str(error), file=part.blob.name)
        else:
            tally.end()

    def _set_aside(self, name: str, shape: Shape, archive: Path, item: Broken) -> None:
        where = {"file": name, "offset": item.offset, "bytes": item.size, "shape": shape.name, "archive": str(archive)}
        self.context.reject(item.fragment, item.error, **where)


class _Origin(NamedTuple):
    archive: str
    file: str


def _message(origin: _Origin, shape: Shape, item: Element, members: Members) -> Message:
    source = {**origin._asdict(), "offset": item.offset, "size": item.size}
    return {"element": item.value, "shape": shape.name, "source": source, "digest": item.digest, "members": members}

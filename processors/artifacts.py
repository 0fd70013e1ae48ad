"""Artifacts of a conversation: what was made, with every edit applied, under names with the right extension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .names import safe_file_name, safe_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .spool import Slice, Spool

_LONGEST: Final = 90
"""Bytes of a name, before an id stands in front of it and an extension behind."""
_BY_LANGUAGE: Final = {
    "bash": ".sh", "c": ".c", "c++": ".cpp", "cpp": ".cpp", "csharp": ".cs", "c#": ".cs", "css": ".css", "csv": ".csv",
    "dart": ".dart", "dockerfile": ".dockerfile", "elixir": ".ex", "go": ".go", "graphql": ".graphql", "haskell": ".hs",
    "html": ".html", "java": ".java", "javascript": ".js", "js": ".js", "json": ".json", "jsx": ".jsx", "julia": ".jl",
    "kotlin": ".kt", "latex": ".tex", "lua": ".lua", "makefile": ".mk", "markdown": ".md", "matlab": ".m",
    "mermaid": ".mmd", "perl": ".pl", "php": ".php", "powershell": ".ps1", "python": ".py", "r": ".r", "ruby": ".rb",
    "rust": ".rs", "scala": ".scala", "shell": ".sh", "sparql": ".rq", "sql": ".sql", "svg": ".svg", "swift": ".swift",
    "toml": ".toml", "tsx": ".tsx", "turtle": ".ttl", "typescript": ".ts", "xml": ".xml", "yaml": ".yaml",
}  # fmt: skip
_BY_TYPE: Final = {
    "text/markdown": ".md",
    "text/html": ".html",
    "image/svg+xml": ".svg",
    "application/vnd.ant.react": ".tsx",
    "application/vnd.ant.mermaid": ".mmd",
    "application/vnd.ant.code": ".txt",
    "text/csv": ".csv",
    "application/json": ".json",
}
_BY_EXTENSION: Final = {extension: language for language, extension in reversed(_BY_LANGUAGE.items())}


class Made:
    """One artifact as it stands: the file it becomes, the link to that, and its text, which a spool may hold."""

    __slots__ = ("_held", "_spool", "link", "name", "path")

    def __init__(self, name: str, path: str, link: str, body: str, spool: Spool | None = None) -> None:
        self.name = name
        self.path = path
        self.link = link
        self._spool = spool
        self._held: str | Slice
        self.body = body

    @property
    def body(self) -> str:
        """The text."""
        return self._held if isinstance(self._held, str) else self._held.read().decode("utf-8", "surrogatepass")

    @body.setter
    def body(self, text: str) -> None:
        self._held = self._spool.put(text.encode("utf-8", "surrogatepass")) if self._spool else text

    def copy(self) -> Made:
        """Return it as it stands, safe from later edits."""
        return Made(self.name, self.path, self.link, self.body, self._spool)


class Shelf:
    """Everything one conversation makes, on whatever branch. `take` gives each name a path and a link nobody else has."""

    __slots__ = ("_spool", "_take", "made", "misfits")

    def __init__(self, take: Callable[[str], tuple[str, str]], spool: Spool | None = None) -> None:
        self._take = take
        self._spool = spool
        self.made: list[Made] = []
        self.misfits = 0
        """Edits whose base, or the place in it, is not in the conversation."""

    def put(self, name: str, body: str) -> Made:
        """Add an artifact."""
        made = Made(name, *self._take(name), body, self._spool)
        self.made.append(made)
        return made

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the path and the exact bytes of each."""
        return ((made.path, exact_bytes(made.body)) for made in self.made)


class Bench:
    """The artifacts as one branch of a conversation sees them."""

    __slots__ = ("_borrowed", "_shelf", "_state")

    def __init__(self, shelf: Shelf, state: dict[str, Made] | None = None) -> None:
        self._shelf = shelf
        self._state = state or {}
        self._borrowed = set(self._state)

    def branch(self) -> Bench:
        """Return a bench that starts from this one. What is edited there becomes a file of its own."""
        return Bench(self._shelf, {key: made.copy() for key, made in self._state.items()})

    def known(self, key: str) -> Made | None:
        """Return the artifact of a key as this branch has it."""
        return self._state.get(key)

    def apply(self, artifact: dict[str, Any], failed: bool = False) -> Made | None:
        """Carry out what a block says, and return the artifact it speaks of; None where it is not known."""
        key = artifact["key"]
        known = self._state.get(key)
        command = artifact["command"]
        if failed or command == "view":
            return known
        if command == "update":
            return self._update(key, known, artifact)
        return self._create(key, known, artifact)

    def _create(self, key: str, known: Made | None, artifact: dict[str, Any]) -> Made:
        name = file_name(artifact)
        if artifact["command"] == "rewrite" and known:
            # A rewrite names neither type nor language: it stays the file it was.
            name = known.name
        if known is None or key in self._borrowed or extension_of(name) != extension_of(known.name):
            self._borrowed.discard(key)
            known = self._state[key] = self._shelf.put(name, artifact["content"])
        else:
            known.body = artifact["content"]
        return known

    def _update(self, key: str, known: Made | None, artifact: dict[str, Any]) -> Made | None:
        if known is None or not artifact["old"] or artifact["old"] not in known.body:
            self._shelf.misfits += 1
            return known
        if key in self._borrowed:
            self._borrowed.discard(key)
            known = self._state[key] = self._shelf.put(known.name, known.body)
        known.body = known.body.replace(artifact["old"], artifact["new"], 1)
        return known


def file_name(artifact: dict[str, Any]) -> str:
    """Return the name of the file an artifact becomes."""
    if "path" in artifact:
        return safe_file_name(artifact["path"], _LONGEST, "artifact")
    wanted = _wanted_extension(artifact)
    # A title is words: what stands before a slash in it is no folder.
    name = safe_file_name(artifact["title"].replace("/", "-").replace("\\", "-"), _LONGEST, "")
    if not name:
        return safe_name(artifact["key"], _LONGEST, "artifact") + wanted
    own = extension_of(name)
    if own == wanted or (own in _BY_EXTENSION and wanted == ".txt"):
        return name
    return name + wanted


def _wanted_extension(artifact: dict[str, Any]) -> str:
    """Return the extension that an artifact's language or type asks for; `.txt` where neither says."""
    return _BY_LANGUAGE.get(artifact["language"].lower()) or _BY_TYPE.get(artifact["type"]) or ".txt"


def fence_language(made: Made) -> str:
    """Return the word behind a fence for an artifact."""
    return _BY_EXTENSION.get(extension_of(made.name), "")


def extension_of(name: str) -> str:
    """Return the extension in a file's name, in lower case; empty if it has none."""
    at = name.rfind(".")
    return name[at:].lower() if at > 0 else ""


def exact_bytes(text: str) -> bytes:
    """Encode a text so that nothing of it is lost: not the halves of cut emoji, nor bytes that were no UTF-8."""
    for errors in ("strict", "surrogateescape"):
        try:
            return text.encode("utf-8", errors)
        except UnicodeEncodeError:
            continue
    return text.encode("utf-8", "surrogatepass")

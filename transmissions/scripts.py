"""Processors that are not here: an app's own in JavaScript, classes of the original, and what others call the ones that are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_SUCCESSORS: Final = {
    "McpServer": "`trans mcp APP` offers apps as tools; the tools of another server are used by `:McpClient`",
    "ProcessorTemplate": "the original's class of that name is `:McpClient`; `trans new processor NAME` begins one of your own",
    "Stash": "`:CaptureAll` keeps messages on the whiteboard of the run, `:WhiteboardToMessage` takes them from there",
    **dict.fromkeys(("JsonRestructurer", "Map", "Mapping", "Rename"), "use `:Restructure`, `:SetField` or `:Templater`"),
    **dict.fromkeys(("Throttle", "RateLimit"), "use `:RateLimiter`"),
    **dict.fromkeys(("Window", "GroupBy", "Reduce"), "use `:Aggregate`"),
    **dict.fromkeys(("Distinct", "Deduplicate", "Unique"), "use `:Dedupe`"),
    **dict.fromkeys(("Split", "Explode", "Unarchive"), "use `:ForEach`, or `:Unbatch` behind a `:Batch`"),
    **dict.fromkeys(("Gzip", "Gunzip", "Zip"), "use `:Compress` or `:Decompress`"),
    **dict.fromkeys(("S3", "S3Reader", "S3Writer", "ObjectStore"), "use `:ObjectReader` or `:ObjectWriter`"),
    **dict.fromkeys(("SQL", "SQLReader", "SQLWriter", "Database"), "use `:DatabaseReader` or `:DatabaseWriter`"),
    **dict.fromkeys(("Http", "HttpRequest", "Fetch"), "use `:HttpClient`"),
    **dict.fromkeys(("CSV", "CSVParser", "ParseCSV"), "use `:CSVReader`, which reads a file or a field"),
    **dict.fromkeys(("XML", "XMLParser", "ParseXML"), "use `:XMLReader`, which reads a file or a field"),
    **dict.fromkeys(("YAML", "YAMLParser", "ParseYAML"), "use `:YAMLReader`, which reads a file or a field"),
    **dict.fromkeys(("Sleep", "Wait"), "use `:Delay`"),
    "Switch": "route to one of several branches by a node `a :Route`",
    "Merge": "the branches of a `:FanOut` join again behind it; `:Join` joins by key, `:RDFMerge` graphs",
}
"""What does the work of classes that are not here: the original's, and those people know from elsewhere by another name."""


def successor(name: str) -> str:
    """Say what to use instead of a class that is not here, or return an empty text."""
    return _SUCCESSORS.get(name, "")


def script_of(app: Path, name: str) -> Path | None:
    """Return the JavaScript an app brings for a class, in its `processors/` or beside its Turtle."""
    places = (app / "processors" / f"{name}.js", app / f"{name}.js")
    return next((place for place in places if place.is_file()), None)


def how_to_port(script: Path) -> str:
    """Say what takes the place of a script."""
    return (
        f"write processors/{script.stem}.py with `class {script.stem}(Processor)` and `def process(self, message)`, which "
        f"returns the message; `trans new processor {script.stem}` begins it, docs/migrating.md shows how"
    )

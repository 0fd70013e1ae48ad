"""YAML files: YAMLReader and YAMLWriter."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from transmissions import Range, RunError

from .file_ends import _FileSink, _FileSource
from .files import to_bytes
from .lines import Bytes  # noqa: TC001 - a setting's type
from .yaml_values import Bounds, read_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transmissions import Message


class YAMLReader(_FileSource):
    """Send one message for each document of a YAML file.

    Reads the file that FileReader would read, a document at a time (`---` stands between them). An object becomes the message
    as it is; with `targetField`, and for any other value, the message is a copy of the incoming one with the value in that
    field (`content` if none is set). Values are read by YAML 1.2's core schema: `no`, `012` and dates mean what JSON would
    say, which is text, twelve and text; names of fields are text. `<<` merges. No tag makes anything but plain data. Aliases
    may not multiply a document beyond `maxValues`, nor may it be nested deeper than 200. A fault ends the reading, with its
    line and column. The documents form a group.

    ```turtle
    :documents a :YAMLReader ; :sourceFile "deployment.yaml" .
    ```
    """

    extra = "yaml"
    placement = "thread"

    max_document: Bytes = 16777216
    "How long a document may be."
    max_values: Annotated[int, Range(ge=1)] = 1_000_000
    "How many values a document may have, those that aliases repeat counted each time."

    def produce(self, message: Message) -> Iterator[Message]:
        """Yield a message for each document."""
        rest = self.rest_of(message)
        with self.opened(message) as (file, name):
            for value in read_documents(file, Bounds(self.max_document, self.max_values), name):
                yield self.shaped(value, rest)


class YAMLWriter(_FileSink):
    """Write every message as one document of a YAML file, and let it go on.

    The file is in UTF-8, with `---` in front of each document, and appears under its name only when the stream has ended well.
    Fields keep their order. What is no plain data is an error.

    ```turtle
    :out a :YAMLWriter ; :destinationFile "records.yaml" .
    ```
    """

    extra = "yaml"

    destination_file: str = "output.yaml"

    def process(self, message: Message) -> Message:
        """Write one document."""
        record = self.record_of(message)
        try:
            text = _dumped(record)
        except UnicodeEncodeError:  # half a pair, which no encoding can hold
            text = _dumped(json.loads(to_bytes(json.dumps(record, ensure_ascii=False))))
        self.write(text)
        return message


def _dumped(record: Any) -> bytes:
    import yaml

    try:
        return yaml.dump(record, Dumper=_dumper(), allow_unicode=True, sort_keys=False, explicit_start=True, encoding="utf-8")
    except yaml.YAMLError as error:
        raise RunError(f"the message cannot be written as YAML: {error}") from error
    except RecursionError as error:
        raise RunError("the message cannot be written as YAML: it is nested too deeply") from error


@cache
def _dumper() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return type("Dumper", (base,), {"ignore_aliases": lambda _dumper, _value: True})

"""What a message that begins a run must look like, as JSON Schema, for whoever is to write one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .accepted import fields_of
from .settings import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .spec import Setting

_IN_SCHEMA: Final = {"string": "string", "iri": "string", "integer": "integer", "decimal": "number", "boolean": "boolean"}
_BOUNDS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "min_length": "minLength",
    "max_length": "maxLength",
}


def json_schema(record: type[Record], *, at_most: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Return the JSON Schema of the messages that a record accepts."""
    return _object(fields_of(record, at_most))


def _object(settings: Sequence[Setting]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "type": "object",
        "properties": {one.name: _property(one) for one in settings},
        "additionalProperties": False,
    }
    required = [one.name for one in settings if one.required]
    return {**said, "required": required} if required else said


def _property(setting: Setting) -> dict[str, Any]:
    said = _value(setting)
    if setting.many:
        said = {"type": "array", "items": said, **_sized(setting, min_count="minItems", max_count="maxItems")}
    is_nullable = not setting.required and setting.default is None
    if is_nullable and "type" in said:
        said["type"] = [said["type"], "null"]
    default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
    about = {"description": setting.doc} if setting.doc else {}
    return {**said, **about, **({} if default is None or isinstance(default, Record) else {"default": default})}


def _value(setting: Setting) -> dict[str, Any]:
    if setting.kind == "record":
        return _object(setting.fields)
    said: dict[str, Any] = {"type": _IN_SCHEMA[setting.kind]} if setting.kind in _IN_SCHEMA else {}
    said |= {"enum": list(setting.choices)} if setting.choices else {}
    said |= {"pattern": f"^(?:{setting.pattern})$"} if setting.pattern else {}
    return said | _sized(setting, **_BOUNDS)


def _sized(setting: Setting, **words: str) -> dict[str, Any]:
    return {word: value for name, word in words.items() if (value := getattr(setting, name)) is not None}

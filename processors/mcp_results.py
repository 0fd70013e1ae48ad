"""What tools, resources and prompts of the Model Context Protocol give, as plain data; and whether arguments fit a tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from transmissions import RunError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp import types
    from pydantic import BaseModel

ReadAs = Literal["auto", "text", "structured", "whole"]


def read_tool(result: types.CallToolResult, tool: str, read_as: ReadAs) -> Any:
    """Return what a tool gave.

    Raises:
        RunError: it gave an error, or not what it is to be read as.

    """
    texts = [block.text for block in result.content if block.type == "text"]
    if result.is_error:
        raise RunError(f"the tool '{tool}' failed: {chr(10).join(texts).strip() or 'it does not say why'}")
    if read_as == "whole":
        return {"text": "\n".join(texts), "structured": result.structured_content, "content": plain_all(result.content)}
    if read_as in {"auto", "structured"} and result.structured_content is not None:
        return result.structured_content
    if read_as == "structured" or (read_as == "text" and not texts):
        raise RunError(f"the tool '{tool}' gave nothing that is {read_as}; :readAs says what is to be taken")
    return plain_all(result.content) if read_as == "auto" and len(texts) < len(result.content) else "\n".join(texts)


def read_resource(result: types.ReadResourceResult) -> Any:
    """Return the text of a resource, or its parts if it is more than one text; bytes are in base64."""
    parts = plain_all(result.contents)
    return parts[0]["text"] if len(parts) == 1 and "text" in parts[0] else parts


def plain(model: BaseModel) -> dict[str, Any]:
    """Return a thing of the protocol as an object, by the names the protocol has for its fields."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def plain_all(models: Any) -> list[Any]:
    """Return several."""
    return [plain(model) for model in models]


def checker_of(tool: types.Tool) -> Callable[[dict[str, Any]], None]:
    """Return what raises a RunError for arguments that do not fit a tool.

    Raises:
        RunError: the server says what fits in a way that is no JSON Schema.

    """
    from jsonschema import SchemaError, exceptions, validators  # type: ignore[import-untyped]
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    kind = validators.validator_for(tool.input_schema)
    try:
        kind.check_schema(tool.input_schema)
    except SchemaError as error:
        raise RunError(f"what the server says of the arguments of '{tool.name}' is no JSON Schema: {error.message}") from error
    # With an empty registry it looks nothing up in the network. Patterns are left to the server: one of its own making could
    # take for ever.
    validator = validators.extend(kind, _without_patterns(kind))(tool.input_schema, registry=Registry())

    def check(arguments: dict[str, Any]) -> None:
        try:
            error = exceptions.best_match(validator.iter_errors(arguments))
        except Unresolvable as fault:
            raise RunError(f"the schema of '{tool.name}' refers to what is not in it: {fault}") from fault
        if error is not None:
            raise RunError(f"the arguments do not fit the tool '{tool.name}': {_place(error)}{error.message[:300]}")

    return check


def _without_patterns(kind: Any) -> dict[str, Any]:
    """Return how to judge the keywords that match patterns: not at all."""
    rest = kind.VALIDATORS.get("additionalProperties")

    def additional(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        return () if "patternProperties" in schema or rest is None else rest(validator, value, instance, schema)

    nothing = dict.fromkeys(("pattern", "patternProperties", "unevaluatedProperties"), lambda *_: ())
    return {**nothing, "additionalProperties": additional}


def _place(error: Any) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return f"{path.lstrip('.')}: " if path else ""

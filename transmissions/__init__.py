"""Transmissions: declare a streaming pipeline in Turtle, have it checked whole, run it by name.

    class Shout(transmissions.Processor):        # a processor of your own
        ...

    transmissions.run("my-app")                  # run an app to its end
    async with transmissions.open("my-app") as run:
        async for message in run: ...            # or take its messages as they come

Public names are imported when first used, so that starting costs nothing for what a run does not need.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # Importing `typing` takes a fifth of the time in which Ctrl-C is answered by Python itself.
if TYPE_CHECKING:
    from typing import Any

    from .accepted import read_request as read_request
    from .bucket import Bucket as Bucket
    from .buffer import Buffer as Buffer
    from .buffer import BufferSettings as BufferSettings
    from .comparison import Condition as Condition
    from .comparison import as_text as as_text
    from .comparison import compare as compare
    from .context import Context as Context
    from .engine import Result as Result
    from .engine import Run as Run
    from .engine import open as open
    from .engine import run as run
    from .errors import BufferOverflow as BufferOverflow
    from .errors import ConfigError as ConfigError
    from .errors import NodeFailed as NodeFailed
    from .errors import OutputError as OutputError
    from .errors import RunError as RunError
    from .errors import RunTimeout as RunTimeout
    from .errors import TransmissionsError as TransmissionsError
    from .errors import UsageError as UsageError
    from .errors import cannot_write as cannot_write
    from .extras import missing_extra as missing_extra
    from .fields import MISSING as MISSING
    from .fields import get_field as get_field
    from .fields import remove_field as remove_field
    from .fields import set_field as set_field
    from .json_text import as_json as as_json
    from .json_text import said_by as said_by
    from .message import Message as Message
    from .message import size_of as size_of
    from .message import weigh as weigh
    from .near import suggestion as suggestion
    from .patterns import compile_pattern as compile_pattern
    from .problem import Problem as Problem
    from .processor import Processor as Processor
    from .processor import Source as Source
    from .settings import IRI as IRI
    from .settings import Dynamic as Dynamic
    from .settings import FractionOf as FractionOf
    from .settings import Length as Length
    from .settings import LessThan as LessThan
    from .settings import LessThanOrEquals as LessThanOrEquals
    from .settings import Pattern as Pattern
    from .settings import Protected as Protected
    from .settings import Range as Range
    from .settings import Record as Record
    from .settings import Secret as Secret
    from .settings import Settings as Settings
    from .settings import Term as Term
    from .settings import TransmissionName as TransmissionName
    from .settings import Unit as Unit
    from .settings import values_of as values_of
    from .stream import Reader as Reader
    from .stream import Writer as Writer
    from .tracing import trace_headers as trace_headers
    from .whole import beside as beside
    from .whole import write_whole as write_whole

_HOMES = {
    "accepted": ("read_request",),
    "bucket": ("Bucket",),
    "buffer": ("Buffer", "BufferSettings"),
    "comparison": ("Condition", "as_text", "compare"),
    "context": ("Context",),
    "engine": ("Result", "Run", "open", "run"),
    "errors": (
        "BufferOverflow",
        "ConfigError",
        "NodeFailed",
        "OutputError",
        "RunError",
        "RunTimeout",
        "TransmissionsError",
        "UsageError",
        "cannot_write",
    ),
    "extras": ("missing_extra",),
    "fields": ("MISSING", "get_field", "remove_field", "set_field"),
    "json_text": ("as_json", "said_by"),
    "message": ("Message", "size_of", "weigh"),
    "near": ("suggestion",),
    "patterns": ("compile_pattern",),
    "problem": ("Problem",),
    "processor": ("Processor", "Source"),
    "settings": (
        "IRI",
        "Dynamic",
        "FractionOf",
        "Length",
        "LessThan",
        "LessThanOrEquals",
        "Pattern",
        "Protected",
        "Range",
        "Record",
        "Secret",
        "Settings",
        "Term",
        "TransmissionName",
        "Unit",
        "values_of",
    ),
    "stream": ("Reader", "Writer"),
    "tracing": ("trace_headers",),
    "whole": ("beside", "write_whole"),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__version__ = "0.1.0"
__all__ = sorted([*_MODULE_OF, "__version__"])  # noqa: PLE0605  # pyright: ignore[reportUnsupportedDunderAll] - from the one table above


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'transmissions' has no attribute '{name}'")
    value = getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

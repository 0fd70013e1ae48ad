"""What a run leaves in its output folder so that its dead letters can be tried again: which app it was, and how it was set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UsageError
from .logs import Redaction
from .outputs import MARKER

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from .homes import App


def record_of(app: App, target: Path | None, roots: Sequence[Path], options: Namespace) -> dict[str, Any]:
    """Return what is to be known of a run. What looks like a credential is not kept, only that there was something."""
    mask = Redaction().mask
    kept = [setting for setting in options.set if mask(setting) == setting]
    withheld = [setting.partition("=")[0] for setting in options.set if setting not in kept]
    return {
        "folder": str(app.folder.absolute()),
        "subtask": app.subtask,
        "target": str(target) if target else None,
        "set": kept,
        "withheld": withheld,
        "profile": options.profile,
        "compat": options.compat,
        "roots": [str(root) for root in roots],
        "cwd": str(Path.cwd()),
    }


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return what the last run left in its output folder; None if there is nothing of the kind.

    Raises:
        UsageError: it was left by something else.

    """
    marker = folder / MARKER
    try:
        said = json.loads(marker.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"'{marker}' cannot be read: {error}") from error
    record = said.get("run") if isinstance(said, dict) else None
    return record if isinstance(record, dict) and isinstance(record.get("folder"), str) else None

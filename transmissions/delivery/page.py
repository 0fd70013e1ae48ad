"""The page at `/`, which starts a run and shows it, and the JavaScript client, for any page to import.

They are the same for everybody and hold no data, so no token is asked for: the page asks its user for one.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import FileResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Scope

_FOLDER: Final = Path(__file__).parent / "static"
_FILES: Final = {
    "/": ("index.html", "text/html"),
    **{f"/static/{name}.js": (f"{name}.js", "text/javascript") for name in ("client", "eventmesh", "page", "react")},
    "/static/page.css": ("page.css", "text/css"),
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def routes() -> list[Route]:
    """Return where they are."""
    return [Route(path, partial(_file, *file), methods=["GET"]) for path, file in _FILES.items()]


def is_asked(scope: Scope) -> bool:
    """Whether a request is for one of them."""
    return scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and scope["path"] in _FILES


async def _file(name: str, kind: str, _: Request) -> FileResponse:
    return FileResponse(_FOLDER / name, media_type=kind, headers=_HEADERS)

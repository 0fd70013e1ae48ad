"""The text of a PDF."""

from __future__ import annotations

import importlib
import io
import sys
import zlib
from typing import Any

from .crawl_page import PageFault


def read_pdf(data: bytes) -> tuple[str, str]:
    """Return the title of a PDF, if it says one, and its text, page by page.

    Raises:
        PageFault: it is broken or encrypted, or the library for it is not there.

    """
    try:
        pypdf: Any = importlib.import_module("pypdf")
    except ImportError:
        said = f"application/pdf can be read only where pypdf is installed: {sys.executable} -m pip install pypdf"
        raise PageFault("PARSE_TYPE", said, content_type="application/pdf") from None
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise PageFault("PARSE_FAILED", "it is a PDF that only a password opens")
        title = reader.metadata.title if reader.metadata else ""
        pages = [page.extract_text().strip() for page in reader.pages]
    except (pypdf.errors.PyPdfError, zlib.error, OSError) as error:
        raise PageFault("PARSE_FAILED", f"it is a PDF that cannot be read: {error}"[:300]) from error
    return str(title or ""), "\n\n".join(filter(None, pages))

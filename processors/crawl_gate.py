"""Whether a page shows its text as it came, or has to be rendered: RenderGate."""

from __future__ import annotations

import math
import os
import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, NamedTuple

from transmissions import Processor, Range, UsageError

from .crawl_page import is_open
from .markup_text import decoded
from .page_reading import HTML_TYPES

if TYPE_CHECKING:
    from transmissions import Message

    Decision = Literal["raw", "probes_first", "headless"]

_LOOKED_AT: Final = 1 << 17
"""Bytes of a page that are looked at: what is behind them changes no decision, and the loop waits for this."""
_SOME_MARKERS: Final = 2
_MANY_MARKERS: Final = 3
_HI: Final = "GATE_HI_THRESHOLD"
_LO: Final = "GATE_LO_THRESHOLD"
_PRIOR: Final = 0.5
"""What is thought of a host nothing is known of."""
# All of these are for HTML in small letters: a search that heeds no case takes three times as long.
_MARKUP: Final = re.compile(
    r"<(?:!--(?s:.*?)(?:-->|\Z)"
    r"|(script|style|noscript|template|svg|title)\b[^>]*+>(?s:.*?)(?:</\1\s*>|\Z)"
    r"|[!?/a-z][^>]*+>?)"
)
_SCRIPT: Final = re.compile(r"<script\b([^>]*+)>(?s:.*?)(?:</script\s*>|\Z)")
_PARAGRAPH: Final = re.compile(r"<p[\s>]")
_CONTENT: Final = re.compile(r"<(?:article|main)[\s>]")
_OG: Final = re.compile(r"""<meta\b[^<>]{0,200}?property\s{0,9}=\s{0,9}["']?og:""")
_PLACE: Final = re.compile(
    r"""<(div|main|section)\s[^<>]{0,200}?\bid\s{0,9}=\s{0,9}["']?(?:root|app|__next|__nuxt|q-app|svelte)\b[^<>]{0,200}>\s*</\1"""
)
_ELEMENT: Final = re.compile(r"<(app-root|[a-z]{1,30}-app)\b[^<>]{0,200}>\s*(?:loading[^<]{0,40})?</\1")
_CALL: Final = re.compile(r"<noscript\b[^<>]{0,200}>.{0,200}?javascript", re.DOTALL)
_BUNDLES: Final = ("webpackjsonp", "webpackchunk", "/static/js/main.", "/assets/index-", "ng-version=")
_STATES: Final = ("__next_data__", "__nuxt__", "__initial_state__", "__preloaded_state__", "__apollo_state__")


class Features(NamedTuple):
    """What the gate sees of a page."""

    size: int
    """Characters in all."""
    visible: int
    """Characters of text that is shown, each run of white space as one."""
    scripts: int
    """Characters in scripts, without those that are data."""
    paragraphs: int = 0
    has_content: bool = False
    """Whether there is an `<article>` or a `<main>`."""
    has_og: bool = False
    has_linked_data: bool = False
    spa_markers: int = 0

    @property
    def text_ratio(self) -> float:
        """How much of the page is text that is shown."""
        return self.visible / self.size if self.size else 0.0

    @property
    def script_density(self) -> float:
        """How much of the page is scripts."""
        return self.scripts / self.size if self.size else 0.0


def features_of(html: str) -> Features:
    """Return what the gate sees of HTML, in a time that grows with its length."""
    html = html.lower()
    scripts = [(found[1], len(found[0])) for found in _SCRIPT.finditer(html)]
    acting = [length for said, length in scripts if "application/ld+json" not in said]
    return Features(
        size=len(html),
        visible=len(" ".join(_MARKUP.sub(" ", html).split())),
        scripts=sum(acting),
        paragraphs=len(_PARAGRAPH.findall(html)),
        has_content=_CONTENT.search(html) is not None,
        has_og=_OG.search(html) is not None,
        has_linked_data=len(acting) < len(scripts),
        spa_markers=_markers(html),
    )


def _markers(html: str) -> int:
    """Count the marks of a page that scripts fill: an empty place or element for it, a call for them, a bundle, its state."""
    call = html.find("<noscript")
    return sum(
        (
            _PLACE.search(html) is not None,
            _ELEMENT.search(html) is not None,
            call >= 0 and _CALL.match(html, call) is not None,
            any(word in html for word in _BUNDLES),
            any(word in html for word in _STATES),
        )
    )


def score_of(features: Features, prior: float = _PRIOR) -> float:
    """Return how likely it is, from 0 to 1, that a page shows its text without being rendered."""
    score = (
        _clamp(1.2 * features.text_ratio, 0.6)
        + _clamp(0.06 * math.log(features.paragraphs + 1), 0.3)
        + 0.15 * features.has_content
        + 0.08 * features.has_og
        + 0.12 * features.has_linked_data
        - _clamp(0.8 * features.script_density, 0.4)
        - 0.25 * (features.spa_markers >= _SOME_MARKERS)
        + 0.1 * (prior - 0.5)
    )
    return _clamp(score, 1.0)


def decision_of(score: float, spa_markers: int, hi: float = 0.7, lo: float = 0.3) -> Decision:
    """Return what is to be done with a page of this score."""
    if score >= hi:
        return "raw"
    return "headless" if score <= lo or spa_markers >= _MANY_MARKERS else "probes_first"


def _clamp(value: float, most: float) -> float:
    return min(max(value, 0.0), most)


class RenderGate(Processor):
    """Decide how a page is read: `raw` (as it came), `headless` (rendered) or `probes_first` (as it came, if that will do).

    Writes `gate_decision`, `gate_score` (0 to 1, how likely the page shows its text by itself) and `gate_decision_reason`, a
    sentence. The score grows with how much of the page is text, with its paragraphs, `<article>`, `<main>`, Open Graph and
    JSON-LD, and falls with scripts and with marks of pages that scripts fill. From `hi` on a page is `raw`; up to `lo`, or
    with three such marks, it is `headless`. What is no HTML, and a page without scripts, is always `raw`: rendering could add
    nothing. So is every page if `options.headless` of a request is `never`, or `render` is false; if it is `always`, every
    page of HTML is `headless`. The first 128 KiB are looked at. Listeners to `gate` are told each `decision`.

    ```turtle
    :gate a :RenderGate ; :hi 0.7 ; :lo 0.3 .
    ```
    """

    one_by_one: ClassVar[bool] = True

    hi: Annotated[float | None, Range(ge=0, le=1)] = None
    "The score from which on a page is read as it came; 0.7, or `GATE_HI_THRESHOLD` of the environment."
    lo: Annotated[float | None, Range(ge=0, le=1)] = None
    "The score up to which a page is rendered; 0.3, or `GATE_LO_THRESHOLD` of the environment."
    render: bool = True
    "Whether pages may be rendered at all, whatever requests ask for."

    def __post_init__(self) -> None:
        """Take the thresholds from the environment where they are not set."""
        self._hi = _threshold(self.hi, _HI, 0.7)
        self._lo = _threshold(self.lo, _LO, 0.3)
        if self._lo >= self._hi:
            raise UsageError(f"lo must be less than hi; they are {self._lo:g} and {self._hi:g}")

    def process(self, message: Message) -> Message:
        """Decide."""
        if is_open(message) and "body" in message:
            decision, score, reason = self._judge(message)
            message |= {"gate_decision": decision, "gate_score": round(score, 4), "gate_decision_reason": reason}
            self.context.emit("gate", decision=decision)
        return message

    def _judge(self, page: Message) -> tuple[Decision, float, str]:
        kind, body = page.get("content_type") or "text/html", page["body"]
        about = f"Content-Type: {kind}, size: {math.ceil(len(body) / 1024)}KB"
        if kind not in HTML_TYPES:
            return "raw", 1.0, f"{about}: read as it is, for it is no HTML"
        features = features_of(decoded(body[:_LOOKED_AT], said=page.get("charset") or ""))
        score = score_of(features)
        asked = (page.get("options") or {}).get("headless", "auto") if self.render else "never"
        if asked == "never":
            return "raw", score, f"{about}, score {score:.2f}: pages are not rendered here"
        if asked == "always":
            return "headless", score, f"{about}, score {score:.2f}: the request has every page rendered"
        if not features.scripts:
            return "raw", score, f"{about}, score {score:.2f}: there is no script that could add to it"
        decision = decision_of(score, features.spa_markers, self._hi, self._lo)
        return decision, score, f"{about}, score {score:.2f} {self._compared(score, decision)}: {_seen(features)}"

    def _compared(self, score: float, decision: Decision) -> str:
        if decision == "raw":
            return f"is at least {self._hi:g}"
        if score <= self._lo:
            return f"is at most {self._lo:g}"
        return f"is between {self._lo:g} and {self._hi:g}"


def thresholds_said() -> tuple[str, ...]:
    """Return what the environment says of thresholds: it has a part in what becomes of a page, as settings have."""
    return tuple(os.environ.get(variable, "").strip() for variable in (_HI, _LO))


def _threshold(setting: float | None, variable: str, default: float) -> float:
    if setting is not None:
        return setting
    said = os.environ.get(variable, "").strip()
    try:
        value = float(said) if said else default
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UsageError(f"{variable} is '{said}', and should be a number from 0 to 1")
    return value


def _seen(features: Features) -> str:
    marks = f", {features.spa_markers} marks of a page that scripts fill" if features.spa_markers else ""
    return f"{features.text_ratio:.0%} text, {features.script_density:.0%} scripts, paragraphs: {features.paragraphs}{marks}"

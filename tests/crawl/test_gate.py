"""How a page is to be read."""

import asyncio
import math

import pytest
from crawled_pages import body_of, fetched

from transmissions import UsageError
from transmissions.processors.crawl_gate import Features, RenderGate, decision_of, features_of, score_of
from transmissions.testing import bench, through

PLAIN = Features(size=1000, visible=0, scripts=0)


def decided(body, gate=None, **more):
    """Return a page behind the gate."""
    (page,) = through(gate or RenderGate(hi=0.7, lo=0.3), [fetched(body, **more)])
    return page


@pytest.mark.parametrize(
    ("features", "score"),
    [
        (PLAIN, 0.0),
        (PLAIN._replace(visible=250), 0.3),
        (PLAIN._replace(visible=1000), 0.6),
        (PLAIN._replace(paragraphs=9), 0.06 * math.log(10)),
        (PLAIN._replace(paragraphs=1000), 0.3),
        (PLAIN._replace(has_content=True), 0.15),
        (PLAIN._replace(has_og=True), 0.08),
        (PLAIN._replace(has_linked_data=True), 0.12),
        (PLAIN._replace(visible=500, scripts=250), 0.4),
        (PLAIN._replace(visible=500, scripts=1000), 0.2),
        (PLAIN._replace(visible=500, spa_markers=1), 0.6),
        (PLAIN._replace(visible=500, spa_markers=2), 0.35),
        (PLAIN._replace(visible=1000, paragraphs=1000, has_content=True, has_og=True), 1.0),
        (Features(size=0, visible=0, scripts=0), 0.0),
    ],
)
def test_the_score(features, score):
    """Each part of the score counts as the formula says (CP-02)."""
    assert score_of(features) == pytest.approx(score)


def test_what_is_thought_of_a_host_counts():
    """A host that is known moves the score by up to a twentieth (CP-02)."""
    assert score_of(PLAIN._replace(visible=250), prior=1.0) == pytest.approx(0.35)
    assert score_of(PLAIN._replace(visible=250), prior=0.0) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("score", "markers", "decision"),
    [
        (0.7, 0, "raw"),
        (0.7, 5, "raw"),
        (0.69, 2, "probes_first"),
        (0.69, 3, "headless"),
        (0.31, 0, "probes_first"),
        (0.3, 0, "headless"),
    ],
)
def test_the_decision(score, markers, decision):
    """From 0.7 on a page is raw, up to 0.3 or with three marks headless, and between them in doubt (CP-03)."""
    assert decision_of(score, markers) == decision


def test_what_the_gate_sees():
    """Text that is shown is counted without markup, scripts and comments; data in scripts is no script."""
    html = (
        '<html><head><title>No</title><meta property="og:title" content="x"><script>var no = 1;</script>'
        '<script type="application/ld+json">{}</script></head>'
        "<body><MAIN><P class=a>Yes <b>and</b></P><p>yes</p><!-- no --><style>no</style></main></body></html>"
    )
    features = features_of(html)
    assert (features.size, features.visible, features.paragraphs) == (len(html), len("yes and yes"), 2)
    assert features.scripts == len("<script>var no = 1;</script>")
    assert (features.has_content, features.has_og, features.has_linked_data, features.spa_markers) == (True, True, True, 0)


def test_a_shell_that_scripts_fill_has_marks():
    """An empty place, a call for scripts, a bundle and a state are four marks."""
    assert features_of(body_of("spa").decode()).spa_markers == 4


@pytest.mark.parametrize(("name", "decision"), [("blog", "raw"), ("spa", "headless"), ("login", "raw")])
def test_pages_as_they_are(name, decision):
    """An article is read as it came, a shell is rendered, and so is nothing without scripts (CP-05, CP-07)."""
    assert decided(body_of(name))["gate_decision"] == decision


def test_a_reason_is_given():
    """The reason names type, size, score and what was seen (EV-16)."""
    page = decided(body_of("spa"))
    assert page["gate_decision_reason"] == (
        "Content-Type: text/html, size: 1KB, score 0.00 is at most 0.3: 0% text, 43% scripts, paragraphs: 0, "
        "4 marks of a page that scripts fill"
    )
    assert page["gate_score"] == 0.0


@pytest.mark.parametrize(
    ("name", "more", "decision"),
    [
        ("spa", {"options": {"headless": "never"}}, "raw"),
        ("blog", {"options": {"headless": "always"}}, "headless"),
        ("spa", {"content_type": "application/json"}, "raw"),
        ("blog", {"options": {"headless": "auto"}}, "raw"),
    ],
)
def test_a_request_may_decide(name, more, decision):
    """A request can have every page rendered, or none; what is no HTML never is."""
    assert decided(body_of(name), **more)["gate_decision"] == decision


def test_rendering_can_be_off_for_all():
    """Where nothing renders, no request can have it."""
    page = decided(body_of("spa"), RenderGate(render=False), options={"headless": "always"})
    assert page["gate_decision"] == "raw"
    assert page["gate_decision_reason"].endswith("pages are not rendered here")


def test_the_environment_sets_the_thresholds(monkeypatch):
    """`GATE_HI_THRESHOLD` and `GATE_LO_THRESHOLD` count where Turtle says nothing (CP-04)."""
    monkeypatch.setenv("GATE_HI_THRESHOLD", "0.99")
    monkeypatch.setenv("GATE_LO_THRESHOLD", "0.9")
    assert decided(body_of("docs"), RenderGate())["gate_decision"] == "headless"
    assert decided(body_of("docs"), RenderGate(hi=0.7, lo=0.3))["gate_decision"] == "raw"


@pytest.mark.parametrize("said", ["much", "1.5", "nan"])
def test_a_threshold_that_is_none_is_refused(monkeypatch, said):
    """A variable of the environment that is no number from 0 to 1 is named."""
    monkeypatch.setenv("GATE_HI_THRESHOLD", said)
    with pytest.raises(UsageError, match=f"GATE_HI_THRESHOLD is '{said}', and should be a number from 0 to 1"):
        RenderGate()


def test_thresholds_that_leave_no_room_are_refused():
    """The lower threshold is below the upper one."""
    with pytest.raises(UsageError, match=r"lo must be less than hi; they are 0\.5 and 0\.5"):
        RenderGate(hi=0.5, lo=0.5)


def test_decisions_are_told(tmp_path):
    """Whoever listens to `gate` is told each decision."""
    heard = []

    async def go():
        run = bench([RenderGate()], [fetched(body_of("blog")), {"n": 1}], tmp_path)
        run.on("gate", lambda _, event: heard.append(event["decision"]))
        async with run:
            return [message async for message in run]

    assert len(asyncio.run(go())) == 2
    assert heard == ["raw"]

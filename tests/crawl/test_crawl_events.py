"""What the events of a crawl say, field by field, and that their figures agree with each other."""

import json
import re
from collections import Counter
from datetime import datetime

import pytest
from delivering import decoded
from local_server import Page, redirect
from site_of_pages import Slow, asking, html, serving_crawls, web

from transmissions import NodeFailed
from transmissions.processors.crawl_report import CrawlReport
from transmissions.processors.web_search_report import SearchReport
from transmissions.testing import through

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
PHASES = {"fetch", "gate", "extraction", "caching"}


@pytest.fixture(scope="module")
def crawled():
    """Crawl pages that are well, slow, known, missing and refused, and give what was asked for and told."""
    pages = {
        **{f"/{number}": Slow(0.15, html(f"P{number}", words=number + 4)) for number in range(8)},
        "/again": redirect("/0"),
        "/busy": Page(b"", {"Retry-After": "99"}, 429),
    }
    with web(pages, hosts=2) as site, serving_crawls("cache.store=memory:", "fetch.tries=1") as server:
        server.ask("POST", "/crawl/stream", {"urls": [site.url("/1")]})
        urls = [*site.urls(*pages), site.url("/1"), site.url("/none"), "http://127.0.0.1:1/", "http://10.0.0.1/"]
        return urls, decoded(server.ask("POST", "/crawl/stream", {"urls": urls}, X_Session_ID="session-1-abc")[2])


def named(events, name):
    """Return the events of a name."""
    return [event for event in events if event["event"] == name]


def rates(told):
    """Return how many of some results and errors went well, and how many were known."""
    results = named(told, "result")
    known = sum(one["result"]["from_cache"] for one in results)
    return round(len(results) / len(told), 4), round(known / len(told), 4)


@pytest.mark.parametrize("report", [CrawlReport(), SearchReport()])
def test_a_request_that_nobody_read_is_an_error(report):
    """A pipe without a frontier would otherwise end well, with no page read."""
    with pytest.raises(NodeFailed, match="'urls' was read by nobody: a CrawlFrontier belongs in front"):
        through(report, [{"urls": ["http://example.org/"]}])


def test_ev02_ev03_ev04_ev05_metadata(crawled):
    """Who the run is, how much is asked for, and what its client's buffer is."""
    urls, events = crawled
    first = events[0]
    assert (first["event"], first["total_urls"], first["stream_type"]) == ("metadata", len(urls), "crawl")
    assert first["session_id"] == "session-1-abc"
    assert {"request_id", "timestamp"} <= first.keys()
    assert {"capacity", "used", "current_size", "max_memory_bytes", "backpressure_threshold"} <= first["buffer_info"].keys()
    assert (first["performance_config"]["ttfb_target_ms"], first["performance_config"]["slow_client_threshold_ms"]) == (
        500,
        100,
    )


def test_ev06_ev07_ev10_progress_says_where_the_crawl_is(crawled):
    """With each: the page, its phase, when it will be over, and how it went so far."""
    urls, events = crawled
    told = named(events, "progress")
    assert told
    for event in told:
        assert event["current_url"] in urls
        assert event["phase"] in PHASES
        assert event["total"] == len(urls)
        assert event["completed"] == 0 or MOMENT.fullmatch(event["estimated_completion"])
        metrics = event["performance_metrics"]
        assert metrics.keys() >= {"throughput_per_second", "avg_processing_time_ms", "success_rate", "cache_hit_rate"}
        assert metrics["throughput_per_second"] > 0


def test_ev07_the_rates_of_progress_are_those_of_the_events_before_it(crawled):
    """How many of those that ended went well, and how many of them were known."""
    _, events = crawled
    for event in named(events, "progress"):
        told = [one for one in events if one["event"] in {"result", "error"}]
        assert event["completed"] == sum(one["seq"] < event["seq"] for one in told)
        metrics = event["performance_metrics"]
        # The crawl may be further than what its client was told of.
        seen = [rates(told[:count]) for count in range(event["completed"], len(told) + 1)]
        assert (metrics["success_rate"], metrics["cache_hit_rate"]) in seen


def test_ev11_the_end_is_what_is_left_at_the_pace_so_far(crawled):
    """The time now, and the average for each page that is still to come."""
    _, events = crawled
    for event in named(events, "progress"):
        left = (event["total"] - event["completed"]) * event["performance_metrics"]["avg_processing_time_ms"] / 1000
        said = datetime.fromisoformat(event["estimated_completion"]) - datetime.fromisoformat(event["timestamp"])
        assert said.total_seconds() == pytest.approx(left, abs=1.5)


def test_ev08_ev09_progress_says_how_its_client_keeps_up(crawled):
    """Its buffer, and its sends."""
    for event in named(crawled[1], "progress"):
        buffer = {"used", "capacity", "utilization_percentage", "pending_flushes", "backpressure_detected"}
        assert buffer <= event["buffer_info"].keys()
        assert event["connection_health"].keys() >= {"avg_send_time_ms", "slow_sends_count", "is_slow_client"}


def test_ev12_ev13_ev14_ev16_a_result_has_all_its_fields(crawled):
    """Those of the event, of the result, of the document, and of the way it went."""
    for event in named(crawled[1], "result"):
        result, way = event["result"], event["pipeline_metadata"]
        assert {"index", "progress", "timestamp"} <= event.keys()
        assert event["progress"].keys() == {"completed", "total", "success_rate"}
        named_so = "url status from_cache gate_decision quality_score processing_time_ms document error cache_key"
        assert result.keys() >= set(named_so.split())
        fields = "url title markdown text word_count reading_time quality_score extracted_at content_hash"
        assert result["document"].keys() >= set(fields.split())
        assert way.keys() == {"gate_decision_reason", "extraction_method", "processing_stages"}
        assert way["gate_decision_reason"]
        assert set(way["processing_stages"]) <= {"fetch", "render", "parse", "extract", "clean"}


def test_ev15_both_scores_are_one(crawled):
    """From 0 to 1 for the result, in percent for its document."""
    for event in named(crawled[1], "result"):
        score = event["result"]["quality_score"]
        assert 0 <= score <= 1
        assert event["result"]["document"]["quality_score"] == round(100 * score)


def test_ev17_rq11_each_url_is_answered_under_its_index(crawled):
    """Once, be it asked for twice."""
    urls, events = crawled
    told = {event["index"]: event.get("url") or event["result"]["url"] for event in events if "index" in event}
    assert [told[number] for number in range(len(urls))] == urls
    assert len(named(events, "result")) + len(named(events, "error")) == len(urls)


def test_ev18_ev19_ev24_the_summary_counts_what_was_told(crawled):
    """All URLs, those that went well, those that did not, and those that were known."""
    urls, events = crawled
    results, errors, summary = named(events, "result"), named(events, "error"), events[-1]
    known = sum(event["result"]["from_cache"] for event in results)
    assert [summary[name] for name in ("event", "total_urls", "successful", "failed", "from_cache")] == [
        "summary", len(urls), len(results), len(errors), known,
    ]  # fmt: skip
    assert known >= 1
    assert summary["cache_hit_rate"] == pytest.approx(known / len(urls), abs=1e-3)
    assert summary["total_time_ms"] >= summary["total_processing_time_ms"]


def test_ev20_the_figures_of_the_summary_can_be_computed_from_the_results(crawled):
    """Time for each URL, the quickest and the slowest, results for each second, the first result, and bytes."""
    urls, events = crawled
    summary = events[-1]
    told, results = summary["performance_summary"], [event["result"] for event in named(events, "result")]
    milliseconds = summary["total_processing_time_ms"]
    assert told["avg_processing_time_ms"] == pytest.approx(milliseconds / len(urls), abs=1)
    assert told["throughput_per_second"] == pytest.approx(len(results) * 1000 / milliseconds, abs=0.02)
    assert told["fastest_processing_ms"] <= min(one["processing_time_ms"] for one in results)
    assert told["slowest_processing_ms"] >= max(one["processing_time_ms"] for one in results)
    assert 0 < told["ttfb_ms"] <= milliseconds
    assert told["total_bytes_transferred"] == sum(one["bytes"] for one in results if not one["from_cache"])


def test_ev21_each_page_that_went_well_has_one_decision(crawled):
    """Those that were known are counted beside it."""
    events = crawled[1]
    decided = Counter(event["result"]["gate_decision"] for event in named(events, "result"))
    told = events[-1]["gate_decisions"]
    assert {name: told[name] for name in ("raw", "probes_first", "headless")} == {
        name: decided[name] for name in ("raw", "probes_first", "headless")
    }
    assert told["cached"] == events[-1]["from_cache"]


def test_ev22_the_summary_says_what_became_of_the_buffer(crawled):
    """How full it was, and what was dropped."""
    told = crawled[1][-1]["buffer_statistics"]
    names = "peak_utilization avg_utilization total_flushes messages_dropped backpressure_events buffer_resizes"
    assert told.keys() == set(names.split())
    assert 0 <= told["avg_utilization"] <= told["peak_utilization"] <= 1


def test_ev23_er12_every_error_is_counted_by_its_type(crawled):
    """Which is one of a few words; and as one that may pass, or will not."""
    events = crawled[1]
    errors, told = [event["error"] for event in named(events, "error")], events[-1]["error_analysis"]
    assert told["error_types"] == Counter(error["type"] for error in errors)
    assert told["error_types"].keys() <= {"timeout", "network_error", "http_error", "parse_error", "too_large", "policy"}
    assert told["retryable_errors"] == sum(error["retryable"] for error in errors)
    assert told["permanent_failures"] == len(errors) - told["retryable_errors"]


def test_ev25_ev26_an_error_says_what_is_to_be_done(crawled):
    """With a code, a category, whether it may pass, and what was tried."""
    errors = {event["url"].partition("://")[2].partition("/")[2]: event for event in named(crawled[1], "error")}
    assert len(errors) >= 3
    for event in errors.values():
        fields = "type category message retryable retry_after_seconds error_code context timestamp"
        assert event["error"].keys() >= set(fields.split())
        assert event["recovery_suggestions"]
        assert "Traceback" not in json.dumps(event)
    assert errors["busy"]["error"]["retry_after_seconds"] == 99
    assert errors["none"]["error"]["context"] == {
        "attempt_number": 1, "max_retries": 1, "timeout_threshold_ms": 30000, "status": 404,
    }  # fmt: skip


def test_ev27_ev10_a_page_that_takes_too_long_is_told_as_the_reference_has_it():
    """Category network, retryable, and how long was waited."""
    with web({"/slow": Slow(1.5, html("S"))}) as site, serving_crawls("fetch.tries=1") as server:
        events = decoded(server.ask("POST", "/crawl/stream", asking(site.urls("/slow"), timeout_seconds=0.2))[2])
    (event,) = named(events, "error")
    assert [event["error"][name] for name in ("error_code", "category", "retryable")] == ["NET_TIMEOUT", "network", True]
    assert event["error"]["context"]["timeout_threshold_ms"] == 200


def test_ev32_every_time_is_utc(crawled):
    """As RFC 3339 writes it."""
    text = "\n".join(map(json.dumps, crawled[1]))
    times = re.findall(r'"(?:timestamp|extracted_at|fetched_at|estimated_completion)": "([^"]*)"', text)
    assert times
    assert all(MOMENT.fullmatch(time) for time in times)


def test_ev33_the_same_text_has_the_same_hash(crawled):
    """Wherever it was found; another text has another."""
    hashes = [event["result"]["document"]["content_hash"] for event in named(crawled[1], "result")]
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes)
    assert len(set(hashes)) == 8


def test_ev01_ev34_ev35_ev36_ev37_the_order_of_events(crawled):
    """Numbered without gaps, `metadata` first and `summary` last, and what is completed never goes back."""
    urls, events = crawled
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [events[0]["event"], events[-1]["event"], len(named(events, "summary"))] == ["metadata", "summary", 1]
    completed = [told["completed"] for event in events if (told := event.get("progress", event)).get("completed") is not None]
    assert completed == sorted(completed)
    assert completed[-1] <= len(urls)
    json.loads(json.dumps(events, allow_nan=False))

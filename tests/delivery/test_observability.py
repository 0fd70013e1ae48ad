"""The dashboard and the alert rules: made from the metrics there are, and asking for nothing else."""

import json
import re
from pathlib import Path

import pytest
import yaml
from delivering import make_home, running
from prometheus_client.parser import text_string_to_metric_families

from transmissions.delivery import alerts
from transmissions.delivery.dashboard import PANELS
from transmissions.delivery.health import GlobalStreamingMetrics
from transmissions.delivery.measures import MEASURES

ROOT = Path(__file__).resolve().parents[2]
WORDS = {"and", "or", "by", "sum", "max", "rate", "increase", "avg_over_time", "histogram_quantile", "absent"}
SEED = (
    "histogram_quantile(0.95, rate(streaming_ttfb_duration_seconds_bucket[5m]))",
    "avg_over_time(streaming_buffer_utilization_ratio[5m])",
    "rate(streaming_events_total[1m])",
)


def dashboard():
    """Return the committed dashboard."""
    return json.loads((ROOT / "configs/observability/dashboard.json").read_text())


def rules():
    """Return the committed rules."""
    [group] = yaml.safe_load((ROOT / "configs/observability/alerts.yml").read_text())["groups"]
    return group["rules"]


def expressions():
    """Return every expression of both."""
    shown = [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]
    return [*shown, *(rule["expr"] for rule in rules()), *SEED]


def names_in(expression):
    """Return the metrics an expression of PromQL names, and the labels it sorts them by."""
    labels = {word for inner in re.findall(r"by \(([^)]*)\)", expression) for word in re.split(r"\W+", inner)}
    bare = re.sub(r"by \([^)]*\)|\{[^}]*\}|\[[^]]*\]|\d[\de.]*", "", expression)
    return set(re.findall(r"[a-z_]\w*", bare)) - WORDS, labels - {"instance"}


@pytest.fixture(scope="module")
def scrape(tmp_path_factory):
    """Return the samples of a server that has had runs, one with errors."""
    with pytest.MonkeyPatch.context() as patch:
        make_home(tmp_path_factory.mktemp("home"), patch)
        with running("numbers", "stops") as server:
            server.events("numbers")
            server.events("stops")
            text = server.ask("GET", "/metrics")[2].decode()
    return {sample.name: sample for family in text_string_to_metric_families(text) for sample in family.samples}, text


@pytest.mark.parametrize("path", alerts.generated_files(ROOT), ids=lambda path: path.name)
def test_gr02_files_are_what_the_metrics_make_them(path):
    """As `trans shapes --check` finds."""
    assert path.read_text("utf-8") == alerts.generated_files(ROOT)[path]


@pytest.mark.parametrize("expression", expressions())
def test_gr02_every_expression_asks_for_what_a_scrape_has(scrape, expression):
    """By name, and by the labels that it sorts by."""
    samples, _ = scrape
    names, labels = names_in(expression)
    assert names
    assert names <= set(samples)
    assert all(any(label in samples[name].labels for name in names) for label in labels)


def test_gr01_the_usual_queries_have_series_after_a_run(scrape):
    """The time to the first result has been seen, and events are counted by name and protocol."""
    _, text = scrape
    assert re.search(r'^streaming_ttfb_duration_seconds_bucket\{le="\+Inf"\} 2\.0$', text, re.MULTILINE)
    assert re.search(r"^streaming_buffer_utilization_ratio \S+$", text, re.MULTILINE)
    assert re.search(r'^streaming_events_total\{event="result",protocol="ndjson"\} 4\.0$', text, re.MULTILINE)


def test_gr01_what_is_exported_is_what_is_known(scrape):
    """Under its own name, and under a second one."""
    samples, _ = scrape
    ends = re.compile(r"^(riptide_)?(.*?)(_bucket|_count|_sum)?$")
    told = {ends.match(name)[2] for name in samples} - {"streaming_total_connections"}
    assert told == {measure.name for measure in MEASURES}


def test_gr02_the_dashboard_has_its_panels():
    """What is active, grows, comes through, lasts, fails, waits and holds back, and how well all that is."""
    titles = [panel["title"] for panel in dashboard()["panels"]]
    assert titles == [panel.title for panel in PANELS]
    assert {"Active connections", "New connections", "Throughput", "Delivered", "Duration of connections"} <= set(titles)
    assert {"Errors", "Waiting for clients", "Backpressure", "Health"} <= set(titles)
    assert {"Answers", "To the answer", "How pages are read"} <= set(titles)


def test_gr02_no_panel_lies_on_another():
    """Each has its own place."""
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in dashboard()["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_gr03_rules_have_their_limits_and_times():
    """5 and 10 % of errors for 10 and 5 minutes, and so on."""
    told = {rule["alert"]: (rule["expr"].rpartition(" ")[2], rule["for"], rule["labels"]["severity"]) for rule in rules()}
    assert (told["StreamErrors"], told["StreamErrorsMany"]) == (("0.05", "10m", "warning"), ("0.1", "5m", "critical"))
    assert (told["StreamDrops"][0], told["StreamDropsMany"][0]) == ("0.1", "0.2")
    assert (told["StreamMemory"][0], told["StreamMemoryMuch"][0]) == ("500e6", "1e9")
    assert (told["RequestsFail"], told["RequestsSlow"][0]) == (("0.05", "10m", "warning"), "0.5")
    assert told["PagesRendered"] == ("0.5", "30m", "warning")
    assert (told["StreamsLong"][0], told["StreamsMany"][0], told["StreamDropsGoOn"][0]) == ("60", "100", "5")


def test_gr04_the_share_left_out_is_of_all_in_rules_and_of_those_sent_in_health():
    """Of 100 sent and 25 left out a rule says 20 %, the state of health 25 %."""
    figures = GlobalStreamingMetrics(total_messages_sent=100, total_messages_dropped=25)
    assert figures.drop_rate == 0.25
    rule = next(rule["expr"] for rule in rules() if rule["alert"] == "StreamDrops")
    share = re.sub(r"sum by \(instance\) \(rate\(streaming_messages_(sent|dropped)_total\[5m\]\)\)", r"\1", rule)
    assert share == "dropped / (sent + dropped) > 0.1"

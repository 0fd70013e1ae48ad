"""Reports of a run's figures: JSON lines, Prometheus text, the log."""

import asyncio
import json
import logging

import pytest
from engine_parts import AsyncCount, Count, Pass, finish

from transmissions import OutputError
from transmissions.counts import Counts, Histogram
from transmissions.metrics import prometheus
from transmissions.testing import bench


def reported(folder, processors, *metrics):
    """Run processors with metrics; return the run."""
    run = bench(processors, [{}], folder, buffer={})
    run.plan = run.plan._replace(metrics=metrics)
    asyncio.run(finish(run))
    return run


def test_json_lines_come_every_so_often_and_at_the_end(tmp_path):
    """Each report is a line of JSON; the last one is marked and complete."""
    reported(tmp_path, [AsyncCount(count=8, wait=0.01), Pass()], {"to": "m/figures.ndjson", "interval": 20})
    lines = [json.loads(line) for line in (tmp_path / "m" / "figures.ndjson").read_text().splitlines()]
    assert len(lines) > 1
    assert [line["final"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert lines[-1]["nodes"]["test/Pass"]["sent"] == 8
    assert lines[-1]["buffers"]["test/Pass"]["bufferUtilization"] == 0


def test_standard_output_is_a_place_too(tmp_path, capsys):
    """`-` stands for standard output."""
    reported(tmp_path, [Count()], {})
    assert json.loads(capsys.readouterr().out)["final"] is True


def test_prometheus_text_is_replaced_whole(tmp_path):
    """The Prometheus file has a type for every metric, labels, seconds and ratios."""
    reported(tmp_path, [Count(), Pass()], {"to": "m.prom", "format": "prometheus"})
    text = (tmp_path / "m.prom").read_text()
    assert 'transmissions_messages_sent_total{node="test/Pass"} 10\n' in text
    assert "# TYPE transmissions_buffer_utilization_ratio gauge\n" in text
    names = {line.split("{")[0] for line in text.splitlines() if not line.startswith("#")}
    assert names <= {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert list(tmp_path.glob(".m.prom*")) == []


def test_prometheus_labels_are_escaped():
    """Quotes and newlines in a name cannot break the format."""
    text = prometheus({"nodes": {'a"\n': Counts().snapshot()}, "buffers": {}})
    assert 'received_total{node="a\\"\\n"} 0' in text


def test_the_log_gets_structured_fields(tmp_path, caplog):
    """Figures go to the log as fields, not as prose."""
    caplog.set_level(logging.INFO, "transmissions.metrics")
    reported(tmp_path, [Count()], {"format": "log"})
    assert caplog.records[-1].nodes["test/Count"]["sent"] == 10


def test_metrics_that_cannot_be_written_end_the_run(tmp_path):
    """A report that fails is an output that fails."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*taken'"):
        reported(tmp_path, [Count()], {"to": "taken"})


def test_quantiles_round_up_to_a_power_of_two():
    """A quantile is the upper end of the bucket it lies in; without durations there is none."""
    durations = Histogram()
    assert durations.quantile(0.5) is None
    for seconds in [3e-6] * 9 + [0.9]:
        durations.record(seconds)
    assert durations.quantile(0.5) == 4e-6
    assert durations.quantile(0.99) == pytest.approx(2**20 / 1e6)

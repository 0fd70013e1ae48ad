import json

from transmissions.processors.reports import ConversionReport


def account(became, messages=0, **blocks):
    """Return the account of a conversation."""
    found = {"messages": messages, "blocks": blocks, "attachments": 0, "files": 0}
    return {"found": found, "became": became}


def report_on(bench, *messages, archive=True, elements=0, broken=0):
    """Return the report on messages, as it was written."""
    report = ConversionReport()
    report.end_group({"input": {"elements": elements, "broken": broken}} if archive else {})
    (*_, last) = bench.through(report, *messages)
    assert json.loads((bench.output / "report.json").read_text()) == last["report"]
    return last["report"]


def test_the_account_is_the_sum_of_all(bench):
    """What was found and what became of it is added up over the conversations, kind by kind."""
    kept = account({"message": {"rendered": 2}, "block text": {"rendered": 1, "folded": 1}}, messages=2, text=2)
    report = report_on(bench, {"account": kept, "written": []}, {"account": kept, "written": []}, elements=2)
    assert report["conversations"] == {"found": 2, "converted": 2, "without messages": 0}
    assert report["messages"] == {"found": 4, "rendered": 4}
    assert report["blocks"] == {"text": {"found": 4, "folded": 2, "rendered": 2}}
    assert report["balanced"] is True


def test_what_was_left_out_as_a_whole_is_accounted_for_in_its_parts(bench):
    """Everything in a duplicate is skipped with it, and what never came is among the dead letters."""
    left = account({"conversation": {"skipped: duplicate": 1}}, messages=3, text=3)
    report = report_on(bench, {"account": left}, elements=2, broken=1)
    figures = {"found": 3, "converted": 0, "without messages": 0, "skipped: duplicate": 1, "set aside": 2}
    assert report["conversations"] == figures
    assert report["messages"] == {"found": 3, "skipped: duplicate conversation": 3}
    assert report["balanced"] is True


def test_an_account_that_does_not_add_up_says_so(bench):
    """A block that went missing makes the report unbalanced."""
    lost = account({"message": {"rendered": 1}, "block text": {"rendered": 1}}, messages=1, text=2)
    assert report_on(bench)["balanced"] is True
    assert report_on(bench, {"account": lost, "written": []})["balanced"] is False


def test_what_was_written_and_redacted_is_counted(bench):
    """Files that changed are told from those that had not; redactions are added up by kind."""
    written = [["a.md", "sha", 10, True], ["b.md", "sha", 5, False]]
    message = {"account": account({}), "written": written, "redacted": {"jwt": 2}}
    report = report_on(bench, message, dict(message), elements=2)
    assert report["written"] == {"pages": 2, "files": 2, "bytes": 20, "unchanged": 2}
    assert report["redacted"] == {"jwt": 4}
    assert bench.events[-1][1]["text"] == "2 conversations, 2 files written, 2 unchanged"


def test_the_summary_counts_what_was_left_out(bench):
    """One is one, and what a filter or a newer version left out is told apart."""
    counts = {"messages": 1, "attachments": 0, "files": 0, "blocks": {}}
    accounts = [{"found": counts, "became": {"message": {"rendered": 1}}}]
    accounts += [{"found": counts, "became": {"conversation": {"skipped: duplicate": 1}}}] * 2
    bench.through(ConversionReport(), *({"account": account, "written": []} for account in accounts))
    assert bench.events[-1][1]["text"] == "1 conversation, 2 left out, 0 files written"
    assert str(bench.output) not in (bench.output / "report.json").read_text()


def test_letters_that_are_tried_again_were_found(bench):
    """Where no archive was gone through, as in a retry, what came is what was found."""
    report = report_on(bench, {"account": account({"message": {"rendered": 1}}, messages=1)}, archive=False)
    assert report["conversations"] == {"found": 1, "converted": 1, "without messages": 0}
    assert report["input"] == []


def test_a_retry_leaves_the_report_of_the_run(bench):
    """What became of dead letters that were tried again is told beside it."""
    report_on(bench, {"account": account({}), "written": []}, elements=1)
    before = (bench.output / "report.json").read_bytes()
    bench.again = True
    bench.through(ConversionReport(), {"account": account({}), "written": []})
    assert (bench.output / "report.json").read_bytes() == before
    assert json.loads((bench.output / "report-retry.json").read_text())["conversations"]["found"] == 1


def test_a_newer_version_takes_the_place_of_the_one_before(bench):
    """What was counted of the older one is counted as left out: its messages, its page, and what was made beside."""
    old = account({"message": {"rendered": 2}, "artifact file": {"written": 1}, "citation": {"rendered": 2}}, messages=2)
    new = account({"message": {"rendered": 3}, "citation": {"rendered": 1}}, messages=3)
    written = [["a.md", "sha", 10, True]]
    messages = [{"key": key, "account": told, "written": written} for key, told in (("a", old), ("b", new), ("a", new))]
    report = report_on(bench, *messages, elements=3)
    assert report["conversations"] == {"found": 3, "converted": 2, "without messages": 0, "skipped: older version": 1}
    assert report["messages"] == {"found": 8, "rendered": 6, "skipped: older version conversation": 2}
    assert (report["also"], report["written"]["pages"]) == ({"citation": {"rendered": 2}}, 2)
    assert report["balanced"] is True
    assert bench.events[-1][1]["text"] == "2 conversations, 1 left out, 3 files written"


def test_versions_without_pages_are_counted_once_too(bench):
    """Where no page is made, the newest of three versions is the one that was converted."""
    report = report_on(bench, *({"key": "a"} for _ in range(3)), elements=3)
    assert report["conversations"] == {"found": 3, "converted": 1, "without messages": 0, "skipped: older version": 2}

import json

import pytest
from generate_claude import make_conversation, make_message, sample

from transmissions import OutputError, RunError
from transmissions.processors.claude import convert
from transmissions.processors.markdown import ConversationMarkdown
from transmissions.processors.reports import ConversionReport
from transmissions.processors.tree_writer import TreeWriter


def report_on(bench, conversations, **settings):
    """Convert conversations and return the report on them."""
    given = [{"conversation": convert(item), "digest": hash(json.dumps(item))} for item in conversations]
    results = bench.through(TreeWriter(), *bench.through(ConversationMarkdown(**settings), *given))
    report = ConversionReport()
    report.end_group({"input": {"elements": len(conversations), "broken": 0}})
    bench.through(report, *results)
    return json.loads((bench.output / "report.json").read_text())


@pytest.mark.parametrize("preset", ["full", "clean", "original"])
def test_every_block_is_accounted_for(bench, preset):
    """Whatever is shown or dropped, what was found is what was rendered, folded and skipped."""
    report = report_on(bench, [*sample(), sample()[0]], preset=preset)
    assert report["balanced"] is True
    assert report["conversations"] == {"found": 5, "converted": 5, "without messages": 0, "skipped: duplicate": 1}
    assert report["messages"] == {"found": 14, "rendered": 12, "skipped: in a duplicate conversation": 2}
    thinking = "folded" if preset != "clean" else "skipped: dropped by setting"
    assert report["blocks"]["thinking"] == {"found": 1, thinking: 1}
    assert report["blocks"]["token_budget"] == {"found": 1, "rendered": 1}
    assert report["written"]["bytes"] == sum(
        f.stat().st_size for f in bench.output.rglob("*") if f.is_file() and f.suffix != ".json"
    )


def test_an_account_that_does_not_add_up_says_so(bench):
    """A block that went missing makes the report unbalanced."""
    counts = {"messages": 1, "blocks": {"text": 2}, "attachments": 0, "files": 0}
    account = {"found": counts, "became": {"message": {"rendered": 1}, "block text": {"rendered": 1}}}
    (last,) = bench.through(ConversionReport())
    assert last["report"]["balanced"] is True
    *_, last = bench.through(ConversionReport(), {"account": account, "written": []})
    assert last["report"]["balanced"] is False


def test_files_are_written_whole(bench):
    """Files go where they are said to, in pieces or whole, with no other left behind; a second time replaces them."""
    for text in (b"long ago", b"now"):
        (message,) = bench.through(TreeWriter(), {"files": [("a/b/c.md", text), ("d.md", [b"x", b"y"])]})
        assert message["written"] == [("a/b/c.md", len(text)), ("d.md", 2)]
    written = {
        file.relative_to(bench.output).as_posix(): file.read_bytes() for file in bench.output.rglob("*") if file.is_file()
    }
    assert written == {"a/b/c.md": b"now", "d.md": b"xy"}


def test_many_files_are_written_by_a_second_process(bench):
    """What the second process wrote is there when the stream has ended, and the same as without it."""
    files = [(f"{number % 7}/{number}.md", b"x" * (number * 9)) for number in range(2000)]
    bench.through(TreeWriter(), {"files": files}, {"files": [("large", b"y" * (3 << 20))]})
    for path, content in [*files, ("large", b"y" * (3 << 20))]:
        assert (bench.output / path).read_bytes() == content
    assert list(bench.output.rglob(".*")) == []


@pytest.mark.parametrize("number", [1, 1000])
def test_a_file_that_cannot_be_written_ends_the_run(bench, number):
    """An error of the file system is told with the path, by whichever process met it."""
    (bench.output).mkdir()
    (bench.output / "taken").write_text("a file")
    files = [*((f"{n}.md", b"x") for n in range(number)), ("taken/x.md", b"x"), ("after.md", b"x")]
    with pytest.raises(OutputError, match="taken"):
        bench.through(TreeWriter(), {"files": files})


@pytest.mark.parametrize("path", ["../x.md", "/etc/x", "a/../../x", "a//x", "a/./x", "a\\..\\x/y", "..", "a/..", "a\0b"])
def test_nothing_is_written_outside(bench, path):
    """A path that leads anywhere else is an error, and nothing is written."""
    bench.output.mkdir()
    message = {"files": [(path, b"x")]}
    with pytest.raises(RunError):
        bench.through(TreeWriter(), message)
    assert list(bench.output.iterdir()) == []
    assert message == {"files": [(path, b"x")]}


def test_links_do_not_lead_out(bench, tmp_path):
    """A folder that is a link to somewhere else is refused, a file that is one is replaced."""
    (tmp_path / "elsewhere").mkdir()
    bench.output.mkdir()
    (bench.output / "a").symlink_to(tmp_path / "elsewhere")
    (bench.output / "b.md").symlink_to(tmp_path / "elsewhere/b.md")
    with pytest.raises(RunError, match="outside"):
        bench.through(TreeWriter(), {"files": [("a/x.md", b"x")]})
    bench.through(TreeWriter(), {"files": [("b.md", b"x")]})
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_empty_messages_are_kept(bench):
    """Conversations without messages and messages without content are written and counted."""
    report = report_on(bench, [make_conversation([], None, 1), make_conversation([make_message(1, "human", []), {}], "", 2)])
    assert report["written"]["pages"] == 2
    assert report["messages"] == {"found": 2, "rendered empty": 2}
    assert report["conversations"]["without messages"] == 1


def test_two_runs_give_the_same_report(bench):
    """The report holds nothing of the time or the machine."""
    assert report_on(bench, sample()) == report_on(bench, sample())
    assert str(bench.output) not in (bench.output / "report.json").read_text()

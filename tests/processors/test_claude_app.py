import asyncio
import json
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import generate_claude
import pytest

import transmissions

ROOT = Path(__file__).parents[2]
APP = ROOT / "apps/claude-json-converter"
ANY_PATH = re.compile(r"/(?:home|tmp|root|work|var)/(?!claude)")


def convert(archive, output, *arguments):
    """Run the app as a user would and return the exit code."""
    from transmissions.cli import main

    return main(["run", str(APP), str(archive), "-o", str(output), "--quiet", *arguments])


def tree(folder):
    """Return every file that a run made, but for the mark that the folder is ours and the ledger."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith((".transm", ".state")))
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


@pytest.fixture
def archive(tmp_path):
    """Return the path of a fresh archive in a folder of its own."""
    (tmp_path / "export").mkdir()
    return tmp_path / "export/conversations.json"


def test_the_bundled_archive_is_the_generated_one():
    """What the app converts when it is given nothing is what the generator says."""
    assert json.loads((APP / "data/sample/conversations.json").read_text()) == generate_claude.sample()


def test_the_bundled_archive_becomes_a_tree(tmp_path):
    """The sample becomes pages, artifacts with their edits, an attachment and a balanced report; nothing is lost or leaked."""
    assert convert(APP / "data/sample", tmp_path / "out") == 0
    files = tree(tmp_path / "out")
    assert sorted(path.rsplit("/", 1)[-1] for path in files if not path.endswith(".md") or "artifacts" in path) == [
        "00000001 StreamMonitor.py",
        "00000002 Limits.md",
        "00000002 notes.txt",
        "00000003 pipe.ttl",
        "index.jsonl",
        "report.json",
        "statistics.json",
    ]
    assert files["claude/2025/06/artifacts/00000002 Limits.md"] == b"# Limits\n\nAt most 20 items.\n"
    assert files["claude/2026/03/artifacts/00000003 pipe.ttl"] == b":pipe ( :read :buffer :write ) .\n"
    everything = b"".join(files.values()).decode()
    assert "not supported on your current device" not in everything
    assert ANY_PATH.search(everything) is None
    assert json.loads(files["report.json"])["balanced"] is True


@pytest.mark.parametrize("preset", ["full", "original"])
def test_links_on_pages_lead_to_files(tmp_path, preset):
    """Every link from a page to a file beside it leads to one that is there."""
    from urllib.parse import unquote

    convert(APP / "data/sample", tmp_path / "out", "--set", f"render.preset={preset}")
    pages = [page for page in (tmp_path / "out").rglob("*.md") if page.parent.name not in {"artifacts", "attachments"}]
    links = [page.parent / unquote(link) for page in pages for link in re.findall(r"\]\(((?!https:)[^)]+)\)", page.read_text())]
    assert len(links) >= 6
    assert [link for link in links if not link.is_file()] == []


def test_every_packaging_gives_the_same_pages(tmp_path, archive):
    """File, folder, ZIP and one conversation to a line give the same output, and so does a second run."""
    generate_claude.write_archive(archive, 1, seed=3)
    with zipfile.ZipFile(tmp_path / "export.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(archive, "data/anything.json")
    (tmp_path / "lines").write_text("\n".join(map(json.dumps, json.loads(archive.read_text()))))
    trees = []
    for number, given in enumerate((archive, archive.parent, tmp_path / "export.zip", tmp_path / "lines", archive)):
        assert convert(given, tmp_path / str(number)) == 0
        trees.append({path: data for path, data in tree(tmp_path / str(number)).items() if path != "report.json"})
    assert len(trees[0]) > 50
    assert all(other == trees[0] for other in trees)


def test_what_is_taken_apart_becomes_the_same_pages(tmp_path, archive):
    """A conversation that is read message by message gives the files it gives when it is read whole."""
    generate_claude.write_giant(archive, 1)
    convert(archive, tmp_path / "whole")
    convert(archive, tmp_path / "apart", "--set", "read.largeElement=65536")
    whole, apart = tree(tmp_path / "whole"), tree(tmp_path / "apart")
    assert len(whole) > 20
    assert apart == whole


def test_a_broken_conversation_costs_no_other(tmp_path, archive):
    """The run ends with code 3, the dead letter names the byte, and every other conversation is there."""
    text = json.dumps(generate_claude.sample())
    archive.write_text(text.replace("Draw a pipe.", 'Draw "a pipe.'))
    assert convert(archive, tmp_path / "out") == 3
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert (report["conversations"]["converted"], report["conversations"]["set aside"], report["input"][0]["broken"]) == (
        3,
        1,
        1,
    )
    (letter,) = map(json.loads, (tmp_path / "out/dead-letters.ndjson").read_text().splitlines())
    assert letter["offset"] == text.index('{"uuid": "7352ddcc-bebe-4ba3-b94b-000000000003"')


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(("title", "choice"), [("Talk", []), ("", []), ("Talk", ["--set", "choose.artifacts=without"])])
def test_a_conversation_that_cannot_be_read_later_costs_no_other(tmp_path, archive, title, choice, times):
    """A number that is too long is found where messages are looked into: that conversation is set aside, with its place."""
    block = {"type": "tool_use", "name": "count", "input": {"n": 1}}
    broken = generate_claude.make_conversation([generate_claude.make_message(1, "assistant", [block])], title, 9)
    text = json.dumps([*[broken] * times, *generate_claude.sample()]).replace('"n": 1}', '"n": ' + "7" * 5000 + "}")
    archive.write_text(text)
    assert convert(archive, tmp_path / "out", *choice) == 3
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert (report["conversations"]["found"], report["conversations"]["set aside"]) == (4 + times, times)
    letter, *others = map(json.loads, (tmp_path / "out/dead-letters.ndjson").read_text().splitlines())
    assert len(others) == times - 1
    assert "4300 digits" in letter["error"]
    places = (1, text.rindex('{"uuid": "7352ddcc-bebe-4ba3-b94b-000000000009"'))
    assert letter.get("offset", letter["message"]["source"]["offset"]) in places


def test_several_archives_are_converted_in_one_run(tmp_path, archive):
    """Archives given together are converted one after the other; what is in both is written once."""
    archive.write_text(json.dumps(generate_claude.sample()[:3]))
    (tmp_path / "b.json").write_text(json.dumps(generate_claude.sample()[2:]))
    assert convert(archive, tmp_path / "out", str(tmp_path / "b.json")) == 0
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["conversations"] == {"found": 5, "converted": 4, "without messages": 0, "skipped: duplicate": 1}
    assert [account["elements"] for account in report["input"]] == [3, 2]


def test_ids_that_begin_alike_do_not_collide(tmp_path, archive):
    """Hundreds of conversations of one day and title, with ids of one minute, have a page each."""
    talks = [generate_claude.make_conversation([], "Same title", number) for number in range(300)]
    archive.write_text(
        json.dumps([{**talk, "uuid": f"{number:08x}-0000-7000-8000-0000deadbeef"} for number, talk in enumerate(talks)])
    )
    convert(archive, tmp_path / "out")
    assert len(list((tmp_path / "out/claude").rglob("*.md"))) == 300


def test_a_run_that_was_killed_is_taken_up(tmp_path, archive):
    """Runs over a newer export that are killed at any point leave nothing that the next one does not put right."""
    generate_claude.write_archive(archive, 4, seed=1)
    older = json.loads(archive.read_text())
    trees = []
    for name, kills in (("calm", ()), ("killed", (0.3, 0.6, 0.9, 1.2))):
        archive.write_text(json.dumps(older))
        assert convert(archive, tmp_path / name) == 0
        archive.write_text(json.dumps([{**talk, "summary": "New.", "updated_at": "2027-01-01T00:00:00Z"} for talk in older]))
        for seconds in kills:
            command = [sys.executable, "-P", "-m", "transmissions", "run", str(APP), str(archive), "-o", str(tmp_path / name)]
            with subprocess.Popen([*command, "--quiet"]) as process:
                time.sleep(seconds)
                process.kill()
        assert convert(archive, tmp_path / name) == 0
        trees.append({path: data for path, data in tree(tmp_path / name).items() if path != "report.json"})
    assert trees[0] == trees[1]


def test_the_app_is_a_library_too(archive):
    """A program takes the report as the last message of the run."""
    archive.write_text(json.dumps(generate_claude.sample()))

    async def run():
        async with transmissions.open(str(APP), arguments=[str(archive)], output=archive.parent / "out") as running:
            return [message async for message in running]

    *conversations, last = asyncio.run(run())
    assert [message["key"][-1] for message in conversations] == ["1", "2", "3", "4"]
    assert last["report"]["balanced"] is True


def test_a_chat_in_two_files_of_a_run_is_written_once(tmp_path, archive):
    """Where two files hold one chat in different bytes, the second run writes nothing and keeps what a user did to the page."""
    talk = generate_claude.sample()[1]
    archive.write_text(json.dumps([talk]))
    (tmp_path / "b.json").write_text(json.dumps([{**talk, "settings": {}}]))
    convert(archive, tmp_path / "out", str(tmp_path / "b.json"))
    (page,) = (tmp_path / "out/claude").glob("*/*/*.md")
    page.write_text(f"mine\n{page.read_text()}")
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out/claude").rglob("*")}
    convert(archive, tmp_path / "out", str(tmp_path / "b.json"))
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "out/claude").rglob("*")} == before
    assert json.loads((tmp_path / "out/report.json").read_text())["written"]["bytes"] == 0

"""What holds for every bundled app; what each one does is tested in `tests/apps/`."""

import re
from pathlib import Path

import calling
import pytest
from local_server import Page, serving

ROOT = Path(__file__).resolve().parent.parent
APPS = sorted(path.parent.name for path in (ROOT / "apps").glob("*/transmissions.ttl"))
QUICK = {"stream-data": "pace.rate=1000", "stream-events": "work.concurrency=16", "generate": "work.concurrency=16"}
"""How apps that take their time on purpose take less."""
HIT = b'{"results": [{"url": "https://example.org/", "title": "T", "content": "C"}]}'
WEB = {"/": Page(b"<p>Roses.", {"Content-Type": "text/html"}), "/search": Page(HIT, {"Content-Type": "application/json"})}


def words_of(app, url):
    """Return what an app is called with: nothing, unless it needs a site or a service of the web."""
    if app == "crawl":
        return [f"{url}/", "--set", "network.allow=127.0.0.1"]
    if app == "deepsearch":
        return ["roses", "--set", f"search.url={url}", "-m", '{"include_content": false}']
    return ["--set", QUICK[app]] if app in QUICK else []


def trans(home, *words):
    """Call `trans` in a folder, with a cache of its own there."""
    return calling.trans(home, *words, XDG_CACHE_HOME=str(home / "cache"))


def test_the_apps_are_valid(tmp_path):
    """There is nothing to say against any, not even a note."""
    result = trans(tmp_path, "validate")
    assert (result.returncode, result.stderr) == (0, "")
    assert sorted(re.findall(r"^(?:.*/)?([\w-]+): ok, ", result.stdout, re.MULTILINE)) == APPS


@pytest.mark.parametrize("app", APPS)
def test_an_app_runs_on_its_own_data(app, tmp_path):
    """A dry run shows every step and leaves no trace; a run comes to its end, and writes only into the folder of its name."""
    before = sorted(ROOT.glob("apps/**/*"))
    with serving(WEB) as server:
        words = [app, *words_of(app, server.url)]
        dry = trans(tmp_path, *words, "--dry-run")
        assert dry.returncode == 0, dry.stderr
        assert re.search(r"^  [\w-]+ \(\w+\)", dry.stdout, re.MULTILINE)
        assert {path.name for path in tmp_path.iterdir()} <= {"cache"}
        result = trans(tmp_path, *words)
    assert result.returncode == 0, result.stderr
    assert f"{app}: " in result.stderr
    assert {path.name for path in tmp_path.iterdir()} <= {"cache", f"{app}-output"}
    assert sorted(ROOT.glob("apps/**/*")) == before


@pytest.mark.parametrize("app", APPS)
def test_an_app_says_what_it_is_for(app):
    """`about.md` begins with its name, and shows how to run it."""
    about = (ROOT / "apps" / app / "about.md").read_text(encoding="utf-8")
    assert about.startswith(f"# {app}\n")
    assert f"trans run {app}" in about


def test_a_dry_run_tells_what_the_input_is(tmp_path):
    """The reader of chat archives says what it found in the input; nothing of it is converted."""
    result = trans(tmp_path, "claude-json-converter", "--dry-run")
    assert "  read: conversations.json: Claude conversations, " in result.stdout


def test_the_last_line_tells_what_the_app_did(tmp_path):
    """A processor that knows more than counts of messages adds it to the last line."""
    result = trans(tmp_path, "claude-json-converter", "-o", "out")
    assert "claude-json-converter: 4 conversations, 8 files written, 0 failed, " in result.stderr

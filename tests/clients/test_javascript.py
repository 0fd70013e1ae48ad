"""The JavaScript client: its own tests under Node, against a real server, and what is published of it."""

import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import delivering
import pytest
from clients.cutting import cutting

import transmissions.delivery

HERE = Path(__file__).parent
STATIC = Path(transmissions.delivery.__file__).parent / "static"
LONG = os.environ.get("TRANS_LONG") == "1"
RESULTS, CUTS = (100_000, 100) if LONG else (2_000, 10)
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="there is no Node here")


def options_of(node):
    """Return the options by which a version of Node has what browsers have."""
    result = subprocess.run([node, "--v8-options"], capture_output=True, text=True, check=False)
    known = subprocess.run([node, "--help"], capture_output=True, text=True, check=False).stdout + result.stdout
    return [one for one in ("--experimental-websocket", "--experimental-eventsource") if one in known]


@needs_node
@pytest.mark.timeout(400)
def test_the_client_keeps_to_its_own_tests(server):
    """Each protocol, with connections that break in the middle of events; the names of the rows are in its tests."""
    with cutting(server, RESULTS * 190 / CUTS / 2, CUTS * 4) as proxy:
        found = {"TRANS_URL": server.url, "TRANS_CUT": proxy.url, "TRANS_STATIC": str(STATIC), "TRANS_RESULTS": str(RESULTS)}
        command = [
            NODE,
            "--no-warnings",
            *options_of(NODE),
            "--test",
            "--test-timeout=300000",
            "--test-reporter=tap",
            HERE / "client.test.mjs",
            HERE / "misbehaving.test.mjs",
        ]
        result = subprocess.run(command, env=os.environ | found, capture_output=True, text=True, timeout=380, check=False)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr
    assert "# fail 0" in result.stdout


def test_the_package_has_what_it_says():
    """Every file that npm would publish is there, and the client imports nothing."""
    package = json.loads((STATIC / "package.json").read_text())
    exported = {name.removeprefix("./") for kinds in package["exports"].values() for name in kinds.values()}
    assert exported == set(package["files"])
    assert all((STATIC / name).is_file() for name in exported)
    assert not any(line.startswith("import") for line in (STATIC / "client.js").read_text().splitlines())
    assert "dependencies" not in package


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Give what `npm pack` says that it packs, and the package as it is installed, in a folder to work in."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here")
    folder = tmp_path_factory.mktemp("npm")
    alone = {"npm_config_cache": str(folder / "cache"), "npm_config_offline": "true", "npm_config_update_notifier": "false"}
    command = [npm, "pack", "--json", "--pack-destination", folder, STATIC]
    result = subprocess.run(command, env=os.environ | alone, capture_output=True, text=True, timeout=100, check=True)
    [told] = json.loads(result.stdout)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder / "node_modules", filter="data")
    (folder / "node_modules" / "package").rename(folder / "node_modules" / told["name"])
    return {file["path"] for file in told["files"]}, folder


def test_npm_packs_the_modules_what_they_are_for_and_the_licence(packed):
    """A link would be left out: the licence is a copy, and says the same as that of the project."""
    listed = set(json.loads((STATIC / "package.json").read_text())["files"])
    assert packed[0] == listed | {"package.json", "README.md", "LICENSE"}
    licence = (packed[1] / "node_modules" / "transmissions-client" / "LICENSE").read_text()
    assert licence == (HERE.parents[1] / "LICENSE").read_text()


@needs_node
def test_the_example_of_the_package_prints_what_it_says(packed, home):
    """Run by Node, from the package as it is installed."""
    example, said = re.search(r"```js\n(.*?)```.*?```text\n(.*?)```", (STATIC / "README.md").read_text(), re.DOTALL).groups()
    with delivering.running("hello") as server:
        (packed[1] / "example.mjs").write_text(example.replace("http://localhost:8080", server.url))
        result = subprocess.run([NODE, "example.mjs"], cwd=packed[1], capture_output=True, text=True, timeout=60, check=False)
    assert (result.stdout, result.stderr) == (said, "")


@needs_node
def test_the_page_and_the_hooks_are_javascript():
    """Each module can be parsed."""
    for module in sorted(STATIC.glob("*.js")):
        result = subprocess.run([NODE, "--check", module], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr


def test_br03_nothing_is_set_as_html():
    """Neither the page nor the client has a way to make HTML of text."""
    text = "".join(module.read_text() for module in STATIC.glob("*.js"))
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert way not in text


def test_the_page_is_served_without_a_token_and_with_a_strict_policy(home):
    """It has no script of its own in it, and asks for nothing from elsewhere; what it then asks for needs the token."""
    with delivering.running("numbers", token="T") as server:
        status, headers, body = server.ask("GET", "/")
        modules = [
            server.ask("GET", f"/static/{name}") for name in ("client.js", "eventmesh.js", "page.js", "react.js", "page.css")
        ]
        assert server.ask("GET", "/apps")[0] == 401
        assert server.ask("GET", "/static/package.json")[0] == 401
        assert server.ask("POST", "/static/client.js")[0] == 401
    assert status == 200
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert b"<script type=" in body
    assert b"style=" not in body
    assert b"onclick" not in body
    assert [reply[0] for reply in modules] == [200] * 5
    assert modules[0][1]["content-type"].startswith("text/javascript")

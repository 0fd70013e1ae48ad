"""The wheel holds the tree, and nothing but the one package is installed at the top level."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = {"transmissions": "transmissions", "processors": "transmissions/processors"} | {
    name: f"transmissions/{name}" for name in ("configs", "apps")
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the sdist, and the wheel from it, in a copy of the tree; give the folder they are in."""
    folder = tmp_path_factory.mktemp("built")
    ignored = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, folder / "tree", ignore=ignored, symlinks=True)
    shutil.copytree(ROOT / ".ci", folder / "tree" / ".ci")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, folder / "tree"]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    """Give the path of the wheel."""
    return next(built.glob("*.whl"))


def expected():
    """Return the names of all files of the tree that belong in the wheel."""
    return {
        str(Path(inside) / file.relative_to(ROOT / part))
        for part, inside in PARTS.items()
        for file in (ROOT / part).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith(".")
    }


def test_the_wheel_is_the_tree(wheel):
    """The wheel has every file of the engine, the library, the configs and the apps, and no other."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == expected()


def test_one_name_at_the_top_level(wheel):
    """Nothing called processors, configs, apps or tests is installed beside the package."""
    assert {name.split("/")[0].split("-")[0] for name in zipfile.ZipFile(wheel).namelist()} == {"transmissions"}


def test_the_wheel_declares_its_doors(wheel):
    """The wheel brings the console script, the licence and the type marker."""
    archive = zipfile.ZipFile(wheel)
    texts = {name.split("/", 1)[1]: archive.read(name).decode() for name in archive.namelist() if ".dist-info/" in name}
    assert "trans = transmissions.__main__:main" in texts["entry_points.txt"]
    assert "MIT License" in texts["licenses/LICENSE"]
    assert "transmissions/py.typed" in archive.namelist()


def test_the_sdist_can_be_worked_on(built):
    """The sdist brings what development needs: tests, the two scripts, the docs."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {"trans", "check", ".ci/run", ".ci/environment.py", "tests/test_packaging.py", "README.md", "CHANGELOG.md"} <= names


@pytest.mark.parametrize("editable", [False, True])
def test_an_installed_trans_runs_a_bundled_app(built, wheel, tmp_path, editable):
    """`trans list` of an installation, editable or not, shows the bundled apps, whatever the working directory is."""
    what = ["-e", built / "tree"] if editable else [wheel]
    site = tmp_path / "site"
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", site]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *what], check=True, capture_output=True)
    code = f"import site; site.addsitedir({str(site)!r}); from transmissions.cli import main; main(['list'])"
    result = subprocess.run([sys.executable, "-P", "-S", "-c", code], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert "claude-json-converter" in result.stdout, result.stderr

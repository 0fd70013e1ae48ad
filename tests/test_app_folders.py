"""Apps lie in `apps/` or `src/apps/`, and in folders of those."""

import pytest

from transmissions import homes
from transmissions.app_folders import app_folders
from transmissions.errors import UsageError


def make_app(folder):
    """Make a folder an app."""
    folder.mkdir(parents=True)
    (folder / "transmissions.ttl").write_text("")
    return folder


@pytest.mark.parametrize("place", ["apps/mine", "src/apps/mine", "apps/test/mine", "src/apps/a/b/c/mine"])
def test_an_app_is_found_by_name_to_a_depth_of_four(tmp_path, place):
    """Wherever it lies there, the folder around `apps/` is its home."""
    folder = make_app(tmp_path / place)
    app = homes.find_app("mine", tmp_path)
    assert (app.folder, app.home.folder) == (folder, tmp_path / place.partition("apps")[0].rstrip("/"))
    assert "mine" in [app.name for app in homes.apps(tmp_path)]


def test_folders_of_data_and_links_are_not_searched(tmp_path):
    """What an app reads, hides or links to is no place for apps, and neither is a fifth level."""
    for place in ("mine/data/x", "mine/processors/x", "mine/.git/x", "mine/node_modules/x", "a/b/c/d/x"):
        make_app(tmp_path / "apps" / place)
    make_app(tmp_path / "elsewhere" / "x")
    (tmp_path / "apps" / "link").symlink_to(tmp_path / "elsewhere")
    assert list(app_folders(tmp_path)) == []
    with pytest.raises(UsageError, match="no app 'x'"):
        homes.find_app("x", tmp_path)


def test_two_of_a_name_are_both_named(tmp_path):
    """Neither the nearer nor the first silently wins."""
    first, second = make_app(tmp_path / "apps" / "twin"), make_app(tmp_path / "src" / "apps" / "test" / "twin")
    with pytest.raises(UsageError, match="found twice") as caught:
        homes.find_app("twin.subtask", tmp_path)
    assert str(first) in str(caught.value)
    assert str(second) in str(caught.value)


def test_a_folder_that_only_has_the_name_is_no_app(tmp_path):
    """`data` is nobody's app, however many folders are called so."""
    (tmp_path / "apps" / "mine" / "data").mkdir(parents=True)
    with pytest.raises(UsageError, match="no app 'data'"):
        homes.find_app("data", tmp_path)

"""The apps that convert chats: one pipe, whose archive it is apart."""

from pathlib import Path

import pytest

APPS = Path(__file__).resolve().parent.parent.parent / "apps"
EVERY = APPS / "chat-archive"
OTHERS = sorted(
    path.parent for path in APPS.glob("*/transmissions.ttl") if ":ArchiveReader" in path.read_text() and path.parent != EVERY
)


def pipe_of(app):
    """Return what an app's transmissions.ttl says from the pipe on: above it stand its name and its argument."""
    return (app / "transmissions.ttl").read_text(encoding="utf-8").partition("    :pipe (\n")[2]


def config_of(app):
    """Return an app's config.ttl without the line that says whose archives are read."""
    return [
        line for line in (app / "config.ttl").read_text(encoding="utf-8").splitlines() if not line.startswith("    :provider ")
    ]


@pytest.mark.parametrize("app", OTHERS, ids=lambda app: app.name)
def test_the_chat_apps_are_one_pipe(app):
    """What holds for any archive holds for each: nodes, targets and defaults are the same."""
    assert pipe_of(app) == pipe_of(EVERY) != ""
    assert config_of(app) == config_of(EVERY)


@pytest.mark.parametrize("app", OTHERS, ids=lambda app: app.name)
def test_a_chat_app_reads_one_provider_s_archives(app):
    """Each but chat-archive says in its config whose archives it takes."""
    assert f':provider "{app.name.partition("-")[0]}' in (app / "config.ttl").read_text(encoding="utf-8")

"""Markup and feeds in pipes written in Turtle: from a file to a file, and with settings that cannot be."""

import pytest

import transmissions
from transmissions import ConfigError

PREFIX = "@prefix : <http://purl.org/stuff/transmissions/> .\n"


@pytest.fixture
def app(tmp_path):
    """Return a folder for an app of one pipe, and a way to run it."""
    folder = tmp_path / "app"
    (folder / "data").mkdir(parents=True)

    def call(turtle, target=None):
        (folder / "transmissions.ttl").write_text(PREFIX + turtle)
        return transmissions.run(str(folder), target=target, message={}, output=tmp_path / "out")

    return call


def test_entries_of_a_feed_become_markdown_and_html(app, tmp_path):
    """Feeds, entries and HTML go through one pipe, with the original's names of settings."""
    (tmp_path / "app/data/feed.xml").write_text(
        "<rss version='2.0'><channel><title>T</title>"
        "<item><title>A</title><description>&lt;h1&gt;B&lt;/h1&gt;</description></item>"
        "<item><title>C</title><description>d</description></item></channel></rss>"
    )
    result = app(
        """
        :main a :EntryTransmission ; :pipe ( :read :feed :each :md :html ) .
        :read a :FileReader ; :sourceFile "feed.xml" .
        :feed a :FeedParser ; :inputField "content" ; :includeRawContent "true" .
        :each a :ForEach ; :forEach "feed.entries" .
        :md a :HTMLToMarkdown ; :settings [ :inputField "currentItem.summary" ; :cleanSelectors "nav" ] .
        :html a :MarkdownToHTML ; :settings [ :sourceField "content" ; :outputField "html" ] .
        """
    )
    assert [message["content"] for message in result.messages] == ["# B\n", "d\n"]
    assert [message["html"] for message in result.messages] == ["<h1>B</h1>\n", "<p>d</p>\n"]


@pytest.mark.parametrize(
    ("node", "fault"),
    [
        (':AtomBuilder ; :maxEntries "-1"', "maxEntries"),
        (':HTMLFeedExtractor ; :preferredType "pdf"', "preferredType"),
        (":LinkFinder ; :formt 'html'", "LinkFinder has no setting formt"),
        (":MarkdownToHTML ; :limit 0", "limit"),
    ],
)
def test_settings_that_cannot_be_are_located(app, node, fault):
    """The run does not begin, and the error says where."""
    with pytest.raises(ConfigError, match=fault) as failed:
        app(f":main a :EntryTransmission ; :pipe ( :it ) .\n:it a {node} .")
    assert "transmissions.ttl:3" in str(failed.value)


@pytest.mark.parametrize("setting", [':server "http://localhost"', ':command ( "rm" )'])
def test_data_that_travel_cannot_say_who_draws(app, tmp_path, setting):
    """Neither the server nor the command of MermaidRenderer can be set in tt.ttl."""
    target = tmp_path / "target"
    target.mkdir()
    (target / "tt.ttl").write_text(f"{PREFIX}:s {setting} .")
    with pytest.raises(ConfigError, match=r"tt\.ttl"):
        app(
            ':main a :EntryTransmission ; :pipe ( :it ) .\n:it a :MermaidRenderer ; :settings :s ; :command ( "cat" ) .',
            str(target),
        )

"""Files that an assistant made, as pages speak of them."""

from generate_claude import make_conversation, make_message, text_block, tool_blocks
from pages import placed, rendered, said, talk

from transmissions.processors.claude import convert
from transmissions.processors.html_pages import ConversationHTML
from transmissions.processors.markdown import ConversationMarkdown

PATH = "/mnt/user-data/outputs/my run.sh"
MADE = {"path": PATH, "file_text": "echo", "description": "Says <nothing>"}


def page_of(bench, renderer, *content):
    """Return the page of a chat in which the assistant answered this."""
    given = placed(convert(make_conversation([make_message(1, "assistant", list(content))])))
    files, _ = rendered(bench, renderer, given)
    return next(text for path, text in files.items() if path.endswith((".md", ".html")))


def test_links_to_files_lead_to_them(bench):
    """Where the assistant links to a file it has made, the page links to that file; elsewhere it says what was said."""
    link = "[a](computer:///mnt/user-data/outputs/my%20run.sh)"
    answer = text_block(f"{link} `{link}` [b](computer:///mnt/other.md)")
    page = page_of(bench, ConversationMarkdown(), *tool_blocks("create_file", MADE), answer)
    path = page.partition("**Artifact:** [my run.sh](")[2].partition(")")[0]
    assert path.endswith("my%20run.sh")
    assert f"[a]({path}) `{link}` [b](computer:///mnt/other.md)" in page
    html = page_of(bench, ConversationHTML(), *tool_blocks("create_file", MADE), answer)
    assert html.count(f'href="{path}"') == 2


def test_what_a_file_is_for_is_told(bench):
    """The words an assistant says about a file it makes stand above it."""
    page = page_of(bench, ConversationMarkdown(), *tool_blocks("create_file", MADE))
    assert "<summary>Create my run.sh</summary>\n\nSays \\<nothing>\n\n```bash" in page


def test_edits_are_called_what_they_edit(bench):
    """An edit that names only the id of an artifact is shown under the artifact's name."""
    made = {"id": "x-1", "command": "create", "type": "text/markdown", "title": "Poem", "content": "one"}
    edit = {"id": "x-1", "command": "update", "old_str": "one", "new_str": "two"}
    page = page_of(bench, ConversationMarkdown(), *tool_blocks("artifacts", made), *tool_blocks("artifacts", edit))
    assert "<summary>Update Poem.md</summary>" in page
    assert "x-1" not in page


def test_files_without_a_name_of_their_own_are_called_what_they_are(bench):
    """A `.dat` that is an image is shown as one, and opens as one."""
    picture = {"name": "file_1.dat", "id": "file_1", "content": b"\x89PNG\r\n\x1a\n"}
    sound = {"name": "file_2.dat", "id": "file_2", "content": b"RIFF....WAVEfmt "}
    other = {"name": "file_3.dat", "id": "file_3", "content": b"?"}
    files, _ = rendered(bench, ConversationMarkdown(), placed(talk(said("human", "a", files=[picture, sound, other]))))
    names = {path.rpartition("/")[2] for path in files if "attachments" in path}
    assert names == {"file_1.png", "file_2.wav", "file_3.dat"}

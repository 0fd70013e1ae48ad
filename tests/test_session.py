"""The first messages, as `-m` gives them."""

import pytest

from transmissions.errors import UsageError
from transmissions.session import read_messages


def test_a_message_is_json_or_a_list_of_it():
    """Nothing at all is one empty message."""
    assert read_messages(None) == [{}]
    assert read_messages('{"a": 1}') == [{"a": 1}]
    assert read_messages('[{"a": 1}, {}]') == [{"a": 1}, {}]


def test_a_file_is_messages_or_a_payload(tmp_path):
    """With `@` the file holds the messages; by its path alone it is what one message carries."""
    file = tmp_path / "list.json"
    file.write_text("[{}, {}]")
    assert read_messages(f"@{file}") == [{}, {}]
    assert read_messages(str(file)) == [{"payload": [{}, {}]}]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": 1', r"-m:1:8: not JSON"),
        ("[" * 20_000, "-m: JSON that cannot be read: it is nested too deep"),
        ("[" + "9" * 5000 + "]", "-m: JSON that cannot be read: exceeds the limit"),
        ("name=Ada", r'-m:1:1: not JSON: expecting value; a message is a JSON object, like \{"name": "Ada"\}'),
        ("nowhere.json", "cannot read 'nowhere.json': no such file"),
        ("{folder}/broken.json", r"broken\.json:2:1: not JSON"),
        ("7", "a message is a JSON object"),
    ],
)
def test_what_is_no_message_is_told_with_its_place(tmp_path, text, fault):
    """Broken JSON, a file that is not there, or JSON that is no object ends the command."""
    (tmp_path / "broken.json").write_text('{"a":\n]')
    with pytest.raises(UsageError, match=fault):
        read_messages(text.format(folder=tmp_path) if "folder" in text else text)

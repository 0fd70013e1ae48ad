"""The log: text or JSON lines, secrets masked."""

import io
import json
import logging

import pytest

from transmissions import logs


@pytest.fixture
def stream():
    """Give a stream to log into, and put the logger back afterwards."""
    logger = logging.getLogger("transmissions")
    before = logger.handlers[:], logger.level, logger.propagate
    yield io.StringIO()
    logger.handlers[:], logger.level, logger.propagate = before


def log(stream, *args, layout="text", secrets=(), **extra):
    """Log one line and return what was written."""
    logs.set_up(stream, layout, secrets=secrets)
    logging.getLogger("transmissions.app.node").info(*args, extra=extra)
    return stream.getvalue()


def test_text_lines_name_the_node_once(stream):
    """A text line carries the node, unless the message begins with it."""
    assert log(stream, "read %d rows", 3) == "app/node: read 3 rows\n"
    assert log(stream, "app/node: done").endswith("\napp/node: done\n")


def test_text_lines_give_a_terminal_no_orders(stream):
    """Control characters are shown as such; line feeds and tabs stay."""
    assert log(stream, "no file '\x1b]0;x\x07\x9b2J\r'\n\tnext") == "app/node: no file '\\x1b]0;x\\x07\\x9b2J\\x0d'\n\tnext\n"


def test_text_lines_name_an_unusual_level(stream):
    """Warnings and errors say so."""
    logs.set_up(stream)
    logging.getLogger("transmissions").warning("late")
    assert stream.getvalue() == "warning: late\n"


def test_json_lines_carry_structured_fields(stream):
    """A JSON line carries the fields given with `extra`."""
    line = json.loads(log(stream, "report", layout="json", throughput=12.5))
    assert (line["level"], line["message"], line["throughput"]) == ("info", "report", 12.5)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("fetch https://joe:hunter22@example.org/x", "fetch https://joe:…@example.org/x"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
        ('{"api_key": "sk-123"}', '{"api_key": "…"}'),
        ("the token is late", "the token is late"),
        ("http://localhost:8080/path", "http://localhost:8080/path"),
    ],
)
def test_credentials_are_masked(stream, text, masked):
    """What looks like a credential is masked, and nothing else."""
    assert log(stream, "%s", text) == f"app/node: {masked}\n"


def test_secrets_in_use_are_masked_everywhere(stream):
    """The value of a secret is masked in the message and in fields."""
    line = log(stream, "key s3cret-value", layout="json", secrets=["s3cret-value"], header="x s3cret-value")
    assert "s3cret-value" not in line
    assert json.loads(line)["header"] == "x …"


def test_tracebacks_are_masked(stream):
    """A traceback logged with an error does not show a secret either."""
    logs.set_up(stream, "text", secrets=["s3cret-value"])
    try:
        int("s3cret-value")
    except ValueError:
        logging.getLogger("transmissions").exception("failed")
    assert "ValueError: invalid" in stream.getvalue()
    assert "s3cret-value" not in stream.getvalue()


def test_what_a_run_keeps_to_itself_is_kept_out_of_its_log(stream):
    """Every text of a record goes through the function, tracebacks included."""
    logs.set_up(stream)
    logs.clean_with(lambda text: text.replace("Ada", "…"))
    logging.getLogger("transmissions.x").error("met %s", "Ada", exc_info=ValueError("Ada"))
    assert "Ada" not in stream.getvalue()
    assert "met …" in stream.getvalue()

"""The last lines of a run."""

from transmissions.engine import open as open_app
from transmissions.summary import last_lines


def test_what_passes_a_pipe_without_steps_has_come_in(tmp_path):
    """Where every step is left out, messages are counted as coming in as well as going out."""
    app = tmp_path / "transmissions.ttl"
    app.write_text(
        "@prefix : <http://purl.org/stuff/transmissions/> . :a a :Transmission ; :pipe ( :n ) . :n a :NOP ; :enabled false ."
    )
    run = open_app(str(tmp_path))
    assert next(last_lines(run, (), "", 0.0)).endswith(": 1 message in, 0 out, 0 failed, 0.00 s")

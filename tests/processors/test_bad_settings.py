"""Bad settings of processors for files, text and entries are told before anything runs, and where they stand."""

import re

import pytest

import transmissions
from transmissions import ConfigError

HEAD = "@prefix : <http://purl.org/stuff/transmissions/> .\n:main a :EntryTransmission ; :pipe ( :it ) .\n"


@pytest.mark.parametrize(
    ("node", "fault"),
    [
        (":FileCopy ; :sorce 'x'", "sorce.*did you mean `:source`"),
        (":FileRemove", "needs the setting target"),
        (":FileFilter ; :includePattern '{1..99999}'", "more than 1000 others"),
        (":DirWalker ; :excludePattern '{1..99999}'", "more than 1000 others"),
        (":PathOps ; :values ( [ :string 'a' ; :field 'b' ] )", "either :string or :field"),
        (":SetMessage ; :setters ( [ :key 'a' ] )", "value"),
        (":FilenameMapper ; :format '../x'", "format"),
        (":FileChangeDetector ; :unchanged 'keep'", "'?drop'?"),
        (":MessageChangeDetector ; :keyField 'a'", "valueField"),
        (":CaptureAll ; :limit 0", "limit"),
        (":Escaper ; :format 'SPARKL'", "did you mean `SPARQL`"),
        (":CommentStripper ; :language 'pithon'", "did you mean `python`"),
        (":RequiredFields", "needs the setting requiredFields"),
        (":EntryDeduplicator ; :checkMethod 'hash'", "'?content'?"),
        (":URLNormalizer ; :removeTrailingSlash 'perhaps'", "perhaps"),
        (":ResourceMinter ; :agentURI 'not an iri'", "agentURI"),
        (":FileContainer ; :limit -1", "limit"),
    ],
)
def test_a_bad_setting_is_located(tmp_path, node, fault):
    """The error says what would be right, at the setting, or at the node in the pipe where one is missing."""
    (tmp_path / "data").mkdir()
    (tmp_path / "transmissions.ttl").write_text(f"{HEAD}:it a {node} .\n")
    with pytest.raises(ConfigError) as raised:
        transmissions.run(str(tmp_path), output=tmp_path / "out")
    (problem,) = raised.value.problems
    assert re.search(fault, f"{problem.message} | {problem.label} | {problem.help}")
    assert problem.span.line == (2 if "needs the setting" in problem.message and "[" not in node else 3)


def test_a_target_may_not_name_variables(tmp_path):
    """What travels with data does not choose which variables of the environment are sent on."""
    (tmp_path / "app/data").mkdir(parents=True)
    (tmp_path / "target").mkdir()
    (tmp_path / "app/transmissions.ttl").write_text(f"{HEAD}:it a :EnvLoader ; :settings :s .\n:s :require 'PATH' .\n")
    (tmp_path / "target/tt.ttl").write_text("@prefix : <http://purl.org/stuff/transmissions/> .\n:s :variables 'PATH' .\n")
    with pytest.raises(ConfigError, match="variables"):
        transmissions.run(str(tmp_path / "app"), target=str(tmp_path / "target"))

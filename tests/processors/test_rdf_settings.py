"""Bad settings of the processors for RDF and SPARQL are told before anything runs, and where they stand."""

import re

import pytest

import transmissions
from transmissions import ConfigError

HEAD = "@prefix : <http://purl.org/stuff/transmissions/> .\n:main a :EntryTransmission ; :pipe ( :it ) .\n"


@pytest.mark.parametrize(
    ("node", "fault"),
    [
        (":Eye ; :queryFeild 'x'", "did you mean `:queryField`"),
        (":Eye ; :seconds 0", "seconds"),
        (":SPARQLSelect ; :template 'ASK {}'", "one of :endpoint, :endpointSettings and :store"),
        (":SPARQLSelect ; :endpoint 'nowhere' ; :template 'ASK {}'", "nowhere"),
        (":SPARQLSelect ; :store 'x' ; :template '{{ x'", "end of template"),
        (":SPARQLUpdate ; :store 'x' ; :template 'a' ; :templateFilename 'b'", "either :templateFilename or :template"),
        (":SPARQLUpdate ; :endpoint 'http://e/' ; :template 'a' ; :password 'sesame' ", "password"),
        (":RDFParse ; :per 'triple'", "'?part'?"),
        (":RDFSerialize ; :format 'turtel'", "did you mean `turtle`"),
        (":RDFMerge", "no group to close"),
        (":RDFSerialize ; :prefixes [ :prefix 'a b' ; :namespace 'http://e/' ]", "'a b' is no prefix"),
        (":SPARQLQuery ; :query 'ASK {}' ; :each 'perhaps'", "perhaps"),
        (":SHACLValidate", "needs the setting shapesFile"),
        (":SHACLValidate ; :shapesFile 's.ttl' ; :onInvalid 'skip'", "'?keep'?"),
        (":RDFBuilder", "either :templateFilename or :template"),
        (":RDFConfig ; :patterns [ :type 'http://e/T' ]", "name"),
        (":DatasetReader ; :maxBytes 'many'", "maxBytes"),
    ],
)
def test_a_bad_setting_is_located(tmp_path, node, fault):
    """The error says what would be right, at the setting, or at the node in the pipe where one is missing."""
    (tmp_path / "data").mkdir()
    (tmp_path / "transmissions.ttl").write_text(f"{HEAD}:it a {node} .\n")
    with pytest.raises(ConfigError) as raised:
        transmissions.run(str(tmp_path), output=tmp_path / "out")
    first = raised.value.problems[0]
    assert re.search(fault, f"{first.message} | {first.label} | {first.help}")
    assert first.span.line in {2, 3}


@pytest.mark.parametrize("setting", [":endpoint 'http://e/'", ":store 'other'", ":template 'DROP ALL'", ":allow 'localhost'"])
def test_a_target_may_not_choose_where_queries_go(tmp_path, setting):
    """What travels with data sets no endpoint, no store, no query and no exemption from the guard."""
    (tmp_path / "app/data").mkdir(parents=True)
    (tmp_path / "target").mkdir()
    (tmp_path / "app/transmissions.ttl").write_text(f"{HEAD}:it a :SPARQLUpdate ; :settings :s .\n:s :delay 0 .\n")
    (tmp_path / "target/tt.ttl").write_text(f"@prefix : <http://purl.org/stuff/transmissions/> .\n:s {setting} .\n")
    with pytest.raises(ConfigError, match=setting.split()[0][1:]):
        transmissions.run(str(tmp_path / "app"), target=str(tmp_path / "target"))

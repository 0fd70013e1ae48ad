"""SPARQL from templates: what values become where they stand."""

import pytest
from rdflib.plugins.sparql import prepareQuery

from transmissions import RunError
from transmissions.processors.sparql_text import QueryTemplate, refuse_network


def filled(template, **data):
    """Return a template filled in."""
    return QueryTemplate(None, text=template).render(data)


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("<{{ v }}>", "http://e/a b>c", "<http://e/a%20b%3Ec>"),
        ("<http://e/{{ v }}>", "ä}", "<http://e/ä%7D>"),
        ("'{{ v }}'", "it's", r"'it\'s'"),
        ('"""{{ v }}"""', 'a"""\n\\', r'"""a\"\"\"\n\\"""'),
        ("# {{ v }}\nASK {}", "x\nDROP ALL", "# x\\nDROP ALL\nASK {}"),
        ("LIMIT {{ v }}", 5, "LIMIT 5"),
        ("LIMIT {{ v }}", "5", "LIMIT 5"),
        ("{{ v }}", True, "true"),
        ("GRAPH {{ v }} {}", "?g", "GRAPH ?g {}"),
        ("{{ v }}", "ex:a", "ex:a"),
        ("a{{ v }}b{{ absent }}", None, "ab"),
        ("{{ v | uri }}", "urn:x y", "<urn:x%20y>"),
        ("{{ v | literal }}", 1.5, "1.5"),
        ("{{ v | literal }}", 'a"', r'"a\""'),
        ("{{ v | literal('http://e/T') }} {{ v | literal(lang='en') }}", "x", '"x"^^<http://e/T> "x"@en'),
        ("{{ v | string }}", 5, '"5"'),
        ("{{ v | literal }}", float("inf"), '"inf"'),
        ("{{ v | safe }}", "DROP ALL", "DROP ALL"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(v) }}", "http://e/>", "<http://e/%3E>"),
        ("{{ 'a' ~ v }}", "b:c", "ab:c"),
        ("'{{ 'const' }}{{ v }}'", "x", "'constx'"),
        ("'{{ v }}'", "\ue0000\ue001", "'\ue0000\ue001'"),
        ("'{{ v | e }}'", "\\", r"'\\'"),
        ("{{ v | escape }} {{ v | forceescape }}", "b:c", "b:c b:c"),
        ("'{{ v }}'", "\ud800", "'\N{REPLACEMENT CHARACTER}'"),
        ("'{{ v | tojson }}'", ["it's"], r"""'["it\'s"]'"""),
        ('"{{ v | tojson }}"', ["it's"], r'''"[\"it's\"]"'''),
        ("{{ v | tojson | literal }}", {"a": 1}, r'''"{\"a\": 1}"'''),
        ("'{{ v | literal }}'^^ex:T {{ v | literal }}", 5, "'5'^^ex:T 5"),
        ("# {{ v | literal }}", "a\nb", r"""# \"a\\nb\""""),
        ("FILTER(?a < {{ v }} && ?b > 3)", 2, "FILTER(?a < 2 && ?b > 3)"),
    ],
)
def test_a_value_is_written_as_its_place_demands(template, value, text):
    """IRIs between brackets, text between quotes, only what is harmless elsewhere; filters write whole terms."""
    assert filled(template, v=value) == text


@pytest.mark.parametrize(
    ("template", "value", "fault"),
    [
        ("SELECT {{ v }}", "* { } ; DROP ALL", "would stand bare in the query"),
        ("{{ v }}", "DROP", "would stand bare"),
        ("{{ v }}", "x" * 99, "x{40}…' would stand bare"),
        ("<{{ v }}>", "page", "<page> is no absolute IRI"),
        ("{{ v | uri }}", "page", "'page' is no absolute IRI"),
        ("{{ v | tojson }}", "} ; DROP ALL #", "would stand bare"),
        ('"{{ v | tojson }}" {{ v }}', "} ; DROP ALL #", "would stand bare"),
        ("{{ v | urlize }}", "DROP ALL", "would stand bare"),
        ("{{ ('urn:x' | uri) ~ v }}", "; DROP ALL", "would stand bare"),
        ('"{{ v | literal }}"', "} ; DROP ALL #", "is a whole term"),
        ("<{{ v | uri }}>", "urn:x", "is a whole term"),
        ("{{ v | literal(lang='e n') }}", "x", "'e n' is no language"),
    ],
)
def test_a_value_that_cannot_stand_where_it_is_put_is_an_error(template, value, fault):
    """The sentence shows the value and says what to do."""
    with pytest.raises(RunError, match=fault):
        filled(template, v=value)


def test_a_template_can_be_filled_in_again():
    """Values of one message are not those of the next."""
    template = QueryTemplate(None, text="'{{ v }}'")
    assert [template.render({"v": v}) for v in "ab"] == ["'a'", "'b'"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { SERVICE?x {} }",
        "lOaD <http://e/>",
        "SELECT*{?s ?p 'x'.SERVICE<http://e/>{}}",
        r"SELECT * { ?s ?p ex:a\# . SERVICE <http://e/> {} }",
        r"SELECT * { ?s ?p ex:a\' . SERVICE <http://e/> {} . ?s ?p ex:a\' }",
        "SELECT * { FILTER(?a<5#>'''\n) SERVICE <http://e/> {} #'''\n }",
        "SELECT * { FILTER(?a<'>') SERVICE <http://e/> {} FILTER(?a<'>') }",
        r"SELECT * { \u0053ERVICE <http://e/> {} }",
        r"SELECT * { ?s ?p '\u0027 . SERVICE <http://e/> {} . ?s ?p '' }",
    ],
)
def test_what_would_fetch_is_refused(query):
    """However it is written."""
    with pytest.raises(RunError, match=r"would fetch from the network|read in two ways"):
        refuse_network(query)


@pytest.mark.parametrize(
    "query", ["ASK { ?service ex:LOAD 'SERVICE', <http://e/o'n#LOAD> } # LOAD", "ASK { ?s ?p <#a>, <o'n> }"]
)
def test_what_only_looks_like_it_is_not(query):
    """Names, texts, IRIs and comments may say what they like."""
    assert refuse_network(query) == query


def test_texts_are_written_as_rdflib_reads_them():
    """What is built on it takes no escape of a quotation mark that needs none."""
    text = filled("""SELECT * { ?s ?p '{{ v }}', "{{ v }}", {{ v | literal }} }""", v='it\'s "so"\n')
    assert prepareQuery(text)

import hashlib
import re
from pathlib import Path

import pyoxigraph
import pytest
import rdflib
from generate_claude import make_conversation, make_message, sample, text_block, tool_blocks
from pyshacl import validate
from rdflib.namespace import DCTERMS, FOAF, PROV, RDF, SDO, XSD

from transmissions import UsageError
from transmissions.processors.claude import convert
from transmissions.processors.conversation_rdf import ConversationRDF
from transmissions.processors.rdf_parts import page_link
from transmissions.processors.rdf_text import Names, iri, literal
from transmissions.processors.spool import Mapped, SpooledList, pieces

SIOC = rdflib.Namespace("http://rdfs.org/sioc/ns#")
SHAPES = Path(__file__).parents[2] / "configs/chat-shapes.ttl"
PAGE = "claude/2026/03/2026-03-07 A talk ~00000001.md"


def block_of(bench, conversation, key="", **settings):
    """Return the RDF of one conversation of the common model."""
    given = {"conversation": conversation, "key": key or f"claude:{conversation['id']}", "place": {"page": PAGE}}
    (message,) = bench.through(ConversationRDF(**settings), given)
    return b"".join(pieces(message["records"]["archive.nt"])).decode()


def graph_of(bench, *elements, **settings):
    """Return the graph of some conversations of an export."""
    graph = rdflib.Graph()
    for element in elements:
        text = block_of(bench, convert(element), **settings)
        graph.parse(data=text, format="turtle" if settings.get("format") == "turtle" else "nt")
    return graph


def conforms(graph):
    """Whether a graph keeps to the shapes that are shipped, and what is said if not."""
    result, _, text = validate(graph, shacl_graph=rdflib.Graph().parse(SHAPES), inplace=True)
    return result, text


def message_iri(number):
    return rdflib.URIRef(f"urn:uuid:019cc82f-7e61-7db9-8000-{number:012x}")


@pytest.mark.parametrize("settings", [{}, {"format": "turtle"}, {"profile": "solid", "content": True}])
def test_the_graph_keeps_to_the_shapes(bench, settings):
    """Conversations of every generation make a graph that conforms."""
    graph = graph_of(bench, *sample(), **settings)
    assert conforms(graph) == (True, "Validation Report\nConforms: True\n")
    assert len(list(graph.subjects(RDF.type, SDO.Conversation))) == 4
    assert not any(isinstance(node, rdflib.BNode) for node in graph.all_nodes())


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        (SDO.isPartOf, "isPartOf"),
        (SDO.sender, "sender"),
        (SDO.provider, "provider"),
        (SDO.position, "position"),
    ],
)
def test_the_shapes_find_what_is_missing(bench, taken, said):
    """A graph without something that is always there does not conform."""
    graph = graph_of(bench, sample()[0])
    graph.remove((None, taken, None))
    result, text = conforms(graph)
    assert not result
    assert said in text


def test_both_syntaxes_say_the_same(bench):
    """Turtle and N-Triples of a conversation are one graph."""
    assert set(graph_of(bench, *sample())) == set(graph_of(bench, *sample(), format="turtle"))


def test_messages_answer_each_other(bench):
    """A reply names its parent, a root none; without parents each answers the one before."""
    chain = [make_message(number, "human", [text_block(str(number))]) for number in (1, 2, 3)]
    graph = graph_of(bench, make_conversation(chain))
    assert set(graph.subject_objects(SIOC.reply_of)) == {(message_iri(2), message_iri(1)), (message_iri(3), message_iri(2))}
    parents = {1: "00000000-0000-4000-8000-000000000000", 2: chain[0]["uuid"], 3: chain[0]["uuid"]}
    tree = [{**message, "parent_message_uuid": parents[number]} for number, message in enumerate(chain, 1)]
    graph = graph_of(bench, make_conversation(tree))
    assert set(graph.subject_objects(SIOC.reply_of)) == {(message_iri(2), message_iri(1)), (message_iri(3), message_iri(1))}


def test_an_artifact_is_revised_on_its_own_branch(bench):
    """Versions name the one they revise and the call that made them; a branch starts from where it left."""

    def write(command, **more):
        return tool_blocks("artifacts", {"id": "a", "command": command, "title": "A", "language": "python", **more})

    made = make_message(1, "assistant", write("create", content="1"))
    edits = [
        make_message(number, "assistant", write("rewrite", content=str(number)), parent_message_uuid=made["uuid"])
        for number in (2, 3)
    ]
    graph = graph_of(bench, make_conversation([made, *edits]))
    versions = {int(number): node for node, number in graph.subject_objects(SDO.version)}
    revised = set(graph.subject_objects(PROV.wasRevisionOf))
    assert revised == {(versions[2], versions[1]), (versions[3], versions[1])}
    assert all((node, RDF.type, SDO.SoftwareSourceCode) in graph for node in versions.values())
    assert len(set(graph.objects(None, PROV.wasGeneratedBy))) == 3


def test_attachments_are_described(bench):
    """An attachment has a name, a type, and the size and digest of what its file holds."""
    attached = {"file_name": "a.txt", "file_type": "text/plain", "extracted_content": "größe", "file_size": 9}
    graph = graph_of(bench, make_conversation([make_message(1, "human", [], attachments=[attached])]))
    (node,) = graph.objects(None, SDO.messageAttachment)
    assert graph.value(node, SDO.contentSize).toPython() == 7
    assert str(graph.value(node, SDO.sha256)) == hashlib.sha256("größe".encode()).hexdigest()
    assert str(graph.value(node, SDO.encodingFormat)) == "text/plain"


def test_the_solid_profile_says_who_made_a_message(bench):
    """Solid chat apps find the maker, the time and the messages where they look."""
    graph = graph_of(bench, sample()[0], profile="solid")
    maker = graph.value(message_iri(1), FOAF.maker)
    assert (maker, RDF.type, SDO.Person) in graph
    assert graph.value(message_iri(1), DCTERMS.created).datatype == XSD.dateTime
    flow = rdflib.URIRef("http://www.w3.org/2005/01/wf/flow#message")
    assert len(list(graph.subject_objects(flow))) == 2


@pytest.mark.parametrize(
    "text", ["NUL \0 and \x07 bell", 'quotes " \\ \n\r\t', "line \u2028 \x85 ends", "\ufffe \uffff", "\U0001f600 größe"]
)
def test_any_text_comes_out_as_it_went_in(bench, text):
    """Quotes, controls and line ends survive both syntaxes and two parsers."""
    conversation = convert(make_conversation([make_message(1, "human", [text_block(text)])], name=text))
    for syntax in ("ntriples", "turtle"):
        data = block_of(bench, conversation, content=True, format=syntax)
        parsed = pyoxigraph.parse(data.encode(), pyoxigraph.RdfFormat.TURTLE)
        values = [triple.object.value for triple in parsed if triple.predicate.value.endswith(("content", "title"))]
        assert values == [text, text]
    assert rdflib.Graph().parse(data=data, format="turtle").value(message_iri(1), SIOC.content).toPython() == text


def test_half_a_pair_is_replaced_and_counted(bench):
    """No encoder takes a lone surrogate: it becomes U+FFFD, and the account says so."""
    conversation = convert(make_conversation([make_message(1, "human", [text_block("a\ud83d")])], name="b\udc00"))
    given = {"conversation": conversation, "account": {"found": {}, "became": {"message": {"rendered": 1}}}}
    (message,) = bench.through(ConversationRDF(content=True), given)
    assert "a\ufffd" in message["records"]["archive.nt"].decode()
    assert message["account"]["became"] == {"message": {"rendered": 1}, "lone surrogate in RDF": {"replaced": 2}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://example.org/a?b=c#d", "<https://example.org/a?b=c#d>"),
        ('https://example.org/a b<>"{}|^`\\', "<https://example.org/a%20b%3C%3E%22%7B%7D%7C%5E%60%5C>"),
        ("https://example.org/数%zz", "<https://example.org/%E6%95%B0%25zz>"),
        ("javascript:alert(1)", "<javascript:alert(1)>"),
        ("a\ud800:b", ""),
        ("no iri at all", ""),
        ("http://host:port/", ""),
        ("http://[::1]:80/", ""),
        ("x:a#b#c", ""),
        ("", ""),
    ],
)
def test_only_what_is_an_iri_becomes_one(given, expected):
    """Forbidden characters are escaped; what a strict parser would refuse is no IRI."""
    assert iri(given) == expected
    if expected:
        data = f"<x:s> <x:p> {expected} .".encode()
        assert len(list(pyoxigraph.parse(data, pyoxigraph.RdfFormat.N_TRIPLES))) == 1


@pytest.mark.parametrize(
    ("text", "is_time"),
    [
        ("2026-03-07T12:04:56Z", True),
        ("2024-02-29T23:59:59.123456+05:30", True),
        ("2026-03-07T12:04:56", True),
        ("2026-02-29T00:00:00Z", False),
        ("2026-03-07", False),
        ("0000-01-01T00:00:00Z", False),
        ("2026-03-07T12:04:56+15:00", False),
        ("yesterday", False),
        ("٢٠٢٦-03-07T12:04:56Z", False),
    ],
)
def test_only_a_valid_time_is_one(text, is_time):
    """What is no xsd:dateTime is left out."""
    assert bool(Names("ntriples").time(text)) is is_time


def test_ids_that_are_no_uuids_become_hashes(bench):
    """Names are stable, differ where ids do, and two messages or conversations of one id stay two."""
    message = {**make_message(1, "human", [text_block("x")]), "uuid": "m/1 <odd>"}
    conversation = convert({**make_conversation([message, message]), "uuid": "c 1"})
    first = block_of(bench, conversation)
    assert first == block_of(bench, conversation)
    subjects = {line.split(" ")[0] for line in first.splitlines() if "Message>" in line}
    assert len(subjects) == 2
    assert all(re.fullmatch(r"<urn:transmissions:claude:[0-9a-f]{32}>", subject) for subject in subjects)
    assert subjects.isdisjoint(line.split(" ")[0] for line in block_of(bench, conversation, "claude:c 1#2").splitlines())


def test_a_block_begins_with_its_key(bench):
    """The first line is the key's, however odd that is, and no other line looks like one."""
    conversation = convert(make_conversation([make_message(1, "human", [text_block("\n# x\n")])]))
    lines = block_of(bench, conversation, "odd:\n# key", content=True).splitlines()
    assert lines[0] == '# "odd:\\n# key"'
    assert not any(line.startswith("#") for line in lines[1:])
    keys = {
        block_of(bench, conversation, key).split("\n")[0] for key in ("a b", "a  b", "a\tb", '"a\\tb"', "a\ud800", "a\ud801")
    }
    assert len(keys) == 6


def test_each_conversation_may_have_a_file(bench):
    """With `each` the triples go beside the page, under its name."""
    given = {"conversation": convert(sample()[0]), "place": {"page": PAGE}, "files": [(PAGE, b"page")]}
    (message,) = bench.through(ConversationRDF(each=True, format="turtle", base="https://me.example/"), given)
    (_, (path, content)) = message["files"]
    assert path == PAGE.replace(".md", ".ttl")
    address = "<https://me.example/claude/2026/03/2026-03-07%20A%20talk%20~00000001.md>"
    assert f"schema:archivedAt {address}" in content.decode()
    assert "records" not in message


def test_a_page_has_an_address_below_the_base():
    """Signs that mean something in an address are escaped in a path; without a base the path stands as it is."""
    assert page_link("https://me.example/", "a/100%20 #1?.md") == "<https://me.example/a/100%2520%20%231%3F.md>"
    assert page_link("", "a/100%20.md") == page_link("no base/", "a/100%20.md") == '"a/100%20.md"'


def test_a_conversation_too_large_for_memory_is_set_aside(bench):
    """Its triples are those it would have had in memory."""
    element = make_conversation([make_message(number, "human", [text_block("x" * 9000)]) for number in range(1, 400)])
    small = convert(element)
    spooled = SpooledList()
    for message in small["messages"]:
        spooled.append(message)
    large = {**small, "messages": Mapped(lambda message: message, spooled)}
    assert block_of(bench, large, content=True) == block_of(bench, small, content=True)


def test_what_has_no_conversation_passes(bench):
    """A message without one goes on as it came."""
    assert bench.through(ConversationRDF(), {"key": "a"}) == [{"key": "a"}]


def test_literals_are_escaped():
    """What may not stand in a literal is written as an escape."""
    assert literal('a"b\\c\nd\x01') == '"a\\"b\\\\c\\nd\\u0001"'


@pytest.mark.parametrize("base", ["example.org/chats/", "https://example.org/chats", "/srv/chats/", "not an iri/"])
def test_a_base_that_makes_no_iri_is_refused_at_once(base):
    """Otherwise pages would be named by their paths, or by IRIs that lead nowhere, and nothing would say so."""
    with pytest.raises(UsageError, match=f"no IRI that ends with '/', .* is: '{base}'"):
        ConversationRDF(base=base)

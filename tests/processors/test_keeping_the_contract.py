"""The everyday processors in the real engine, held to what it relies on."""

import pytest

from transmissions.processors.aggregate import Aggregate, Figure
from transmissions.processors.articles import MakeEntry, PrepareArticle
from transmissions.processors.atom import AtomBuilder
from transmissions.processors.blanks import Blanker
from transmissions.processors.changes import MessageChangeDetector
from transmissions.processors.choice import Choice
from transmissions.processors.comments import CommentStripper
from transmissions.processors.compression import Compress
from transmissions.processors.containers import FileContainer
from transmissions.processors.csv_files import CSVReader, CSVWriter
from transmissions.processors.database_writer import Column, DatabaseWriter
from transmissions.processors.datasets import ConfigMap, EndpointsGenerator, RDFConfig
from transmissions.processors.demo import Delay, NumberSource, RandomNumber
from transmissions.processors.entries import EntryDeduplicator, FeedUrlDeduplicator, RequiredFields
from transmissions.processors.environment import EnvLoader
from transmissions.processors.escapes import Escaper
from transmissions.processors.eye import Eye
from transmissions.processors.feed_addresses import HTMLFeedExtractor, OpmlFeedExtractor
from transmissions.processors.feeds import FeedParser
from transmissions.processors.file_moves import FileRemove
from transmissions.processors.flow import NOP, Accumulate, DeadEnd, ForEach, Fork, Unfork
from transmissions.processors.folders import DirWalker, FileFilter
from transmissions.processors.graph_queries import SPARQLConstruct, SPARQLQuery
from transmissions.processors.graph_streams import RDFMerge, RDFParse, RDFSerialize
from transmissions.processors.hashes import Dedupe, Hash, Sample
from transmissions.processors.html_markdown import HTMLToMarkdown
from transmissions.processors.join import Join
from transmissions.processors.json_lines import JSONLinesWriter
from transmissions.processors.lines import LineReader, TextLinesReader
from transmissions.processors.links import LinkFinder, MarkdownToLinks
from transmissions.processors.markdown_html import MarkdownBindingsToHTML, MarkdownToHTML
from transmissions.processors.metadata import MetadataExtractor
from transmissions.processors.minting import ResourceMinter
from transmissions.processors.objects import ObjectReader, ObjectWriter
from transmissions.processors.pace import Batch, RateLimiter, Unbatch
from transmissions.processors.paths import FilenameMapper, PathOps, PathPart
from transmissions.processors.rdf_builder import RDFBuilder, TurtleFormatter
from transmissions.processors.show_plan import ShowSettings, ShowTransmission
from transmissions.processors.sort import Order, Sort
from transmissions.processors.sparql import SPARQLSelect, SPARQLUpdate
from transmissions.processors.strings import Concat, Reverse, StringFilter
from transmissions.processors.structure import JSONWalker, Rename, Restructure, SetField, SetMessage, Setter
from transmissions.processors.templates import Templater
from transmissions.processors.text import MarkdownFormatter, SetText, StringReplace
from transmissions.processors.trial import Example, TestSetting, TestSettings
from transmissions.processors.urls import URLNormalizer
from transmissions.processors.whiteboard import CaptureAll, WhiteboardToMessage
from transmissions.processors.xml_files import XMLReader, XMLWriter
from transmissions.processors.yaml_files import YAMLReader, YAMLWriter
from transmissions.testing import assert_contract

MESSAGE = {
    "content": "[1, 2]", "filepath": "notes/a.md", "queryResults": [], "url": "http://a", "forEach": ["a", "b"],
    "items": [{"n": 1}, {"n": 2}], "opml": "<opml/>", "rss": "<rss version='2.0'><channel/></rss>",
    "graph": "<a:s> <a:p> 1 .", "data": "{ ?s <a:p> ?o } => { ?s <a:q> ?o } . <a:s> <a:p> 1 .",
}  # fmt: skip
MAKERS = [
    Accumulate, Batch, DeadEnd, ForEach, Fork, JSONLinesWriter, JSONWalker, LineReader, MarkdownFormatter, NOP, NumberSource,
    Unbatch, Unfork, DirWalker, FilenameMapper, CaptureAll, WhiteboardToMessage,
    lambda: Choice(test_property="content", true_property="x", true_value=1),
    lambda: Delay(delay=0), lambda: RandomNumber(target_field="n"),
    lambda: FileFilter(path_field="content", include_pattern=("*",)),
    lambda: FileRemove(target="none"),
    lambda: MessageChangeDetector(key_field="content", value_field="items", cache_file="cache.json"),
    lambda: PathOps(values=(PathPart(field="content"), PathPart(string="x"))),
    lambda: RateLimiter(rate=10_000),
    lambda: Restructure(rename=(Rename(pre="items", post="a.b"),), remove=("forEach",)),
    lambda: SetField(field="a.b", value=(1,)),
    lambda: SetMessage(setters=(Setter(key="a.b", value=1),)),
    lambda: SetText(text="t"),
    lambda: StringReplace(match="1"),
    lambda: Templater(template="{{ content }}"),
    lambda: TextLinesReader(input_field="content"),
    Blanker, Concat, Escaper, Reverse, Example, TestSetting, TestSettings,
    lambda: StringFilter(input_field="content", exclude_pattern=("[[]]",)),
    ShowSettings, ShowTransmission,
    HTMLFeedExtractor, LinkFinder, MarkdownToHTML, MarkdownToLinks, MetadataExtractor,
    lambda: AtomBuilder(input_field="items"),
    lambda: FeedParser(input_field="rss"),
    lambda: HTMLToMarkdown(input_field="content"),
    lambda: OpmlFeedExtractor(input_field="opml"),
    lambda: MarkdownBindingsToHTML(list_field="items", source_field="n.x"),
    lambda: RequiredFields(required_fields=("content", "items[0]")),
    lambda: EntryDeduplicator(guid_field="filepath"),
    lambda: FeedUrlDeduplicator(input_field="content", existing_field="forEach"),
    lambda: ResourceMinter(from_field="content"),
    lambda: URLNormalizer(input_field="url"),
    lambda: CommentStripper(language="css"),
    EnvLoader, FileContainer, MakeEntry,
    lambda: PrepareArticle(source_field="items[0]"),
    EndpointsGenerator, Eye, RDFMerge, RDFSerialize,
    lambda: ConfigMap(dataset_field="graph"),
    lambda: RDFBuilder(template="<a:s> <a:p> '{{ url }}' ."),
    lambda: RDFConfig(dataset_field="graph"),
    lambda: RDFParse(input_field="graph"),
    lambda: SPARQLConstruct(query="CONSTRUCT WHERE { ?s ?p ?o }"),
    lambda: SPARQLQuery(query="SELECT * { ?s ?p ?o }", each=True),
    lambda: SPARQLSelect(store="memory", template="ASK {}"),
    lambda: SPARQLUpdate(store="memory", template="INSERT DATA { <a:s> <a:p> '{{ url }}' }"),
    lambda: TurtleFormatter(input_field="items[0]"),
    CSVWriter, Dedupe, Hash, YAMLWriter, XMLWriter, Compress,
    lambda: Aggregate(group_by=("content",), compute=(Figure(name="n", function="count"),)),
    lambda: CSVReader(input_field="content"),
    lambda: DatabaseWriter(url="sqlite:///t.db", table="t", create=True, columns=(Column(name="content"),)),
    lambda: Dedupe(state_file="seen.db"),
    lambda: Join(side_field="content", left="[1, 2]", right="[]", key=("url",), kind="outer"),
    lambda: ObjectReader(url="memory://nothing-here/*"),
    lambda: ObjectWriter(url="objects", name_field="filepath"),
    lambda: Sample(every=2),
    lambda: Sort(by=(Order(path="content", descending=True),), memory=1),
    lambda: XMLReader(input_field="opml", element="opml"),
    lambda: YAMLReader(input_field="content"),
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: type(make()).__name__)
def test_a_processor_keeps_the_contract(make):
    """An empty stream, a stream, and a failing run behind it are all taken well."""
    assert_contract(make, [MESSAGE, {**MESSAGE, "content": "[]"}])

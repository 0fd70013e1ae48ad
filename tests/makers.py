"""A way to make each processor that needs nothing but messages and files, to be held to the contract."""

from __future__ import annotations

import gzip
import json
import sqlite3
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from chats import arriving, chat
from crawled_pages import body_of, fetched
from generate_claude import sample

from transmissions.plan import TransmissionPlan
from transmissions.processors.aggregate import Aggregate, Figure
from transmissions.processors.archive import ArchiveReader
from transmissions.processors.articles import MakeEntry, PrepareArticle
from transmissions.processors.atom import AtomBuilder
from transmissions.processors.bash_command import BashCommand
from transmissions.processors.blanks import Blanker
from transmissions.processors.blobs import Members
from transmissions.processors.changes import FileChangeDetector, MessageChangeDetector
from transmissions.processors.choice import Choice
from transmissions.processors.choose import ConversationFilter
from transmissions.processors.collector import RecordCollector
from transmissions.processors.command import CommandSource, CommandStep
from transmissions.processors.comments import CommentStripper
from transmissions.processors.compression import Compress, Decompress
from transmissions.processors.containers import FileContainer
from transmissions.processors.conversation_json import ConversationJSONLines
from transmissions.processors.conversation_ledger import ConversationLedger
from transmissions.processors.conversation_places import ConversationPlaces
from transmissions.processors.conversation_rdf import ConversationRDF
from transmissions.processors.conversation_writer import ConversationWriter
from transmissions.processors.crawl_extract import PageExtract
from transmissions.processors.crawl_files import PageLines, PageMarkdown
from transmissions.processors.crawl_frontier import CrawlFrontier
from transmissions.processors.crawl_gate import RenderGate
from transmissions.processors.crawl_page import PageFault, told
from transmissions.processors.crawl_rdf import PageTriples
from transmissions.processors.crawl_render import PageRender
from transmissions.processors.crawl_report import CrawlReport
from transmissions.processors.crawl_score import PageScore
from transmissions.processors.csv_files import CSVReader, CSVWriter
from transmissions.processors.database import ConversationDatabase, ConversationRows
from transmissions.processors.database_reader import DatabaseReader
from transmissions.processors.database_writer import Column, DatabaseWriter
from transmissions.processors.datasets import ConfigMap, DatasetReader, EndpointsGenerator, RDFConfig
from transmissions.processors.demo import Delay, NumberSource, RandomNumber
from transmissions.processors.entries import EntryDeduplicator, FeedUrlDeduplicator, RequiredFields
from transmissions.processors.environment import EnvLoader
from transmissions.processors.escapes import Escaper
from transmissions.processors.eye import Eye
from transmissions.processors.feed_addresses import HTMLFeedExtractor, OpmlFeedExtractor
from transmissions.processors.feeds import FeedParser
from transmissions.processors.file_moves import FileCopy, FileRemove
from transmissions.processors.files import FileReader, FileWriter
from transmissions.processors.flow import GOTO, NOP, Accumulate, DeadEnd, ForEach, Fork, Halt, Unfork
from transmissions.processors.folders import DirWalker, FileFilter
from transmissions.processors.graph_queries import SPARQLConstruct, SPARQLQuery
from transmissions.processors.graph_shapes import SHACLValidate
from transmissions.processors.graph_streams import RDFMerge, RDFParse, RDFSerialize
from transmissions.processors.hashes import Dedupe, Hash, Sample
from transmissions.processors.html_index import HTMLIndex
from transmissions.processors.html_markdown import HTMLToMarkdown
from transmissions.processors.html_pages import ConversationHTML
from transmissions.processors.importer import ConversationImporter
from transmissions.processors.index import ConversationIndex
from transmissions.processors.join import Join
from transmissions.processors.json_lines import JSONLinesReader, JSONLinesWriter
from transmissions.processors.line_events import EventEmitter, Logger
from transmissions.processors.line_filter import Filter
from transmissions.processors.line_json import JsonLines
from transmissions.processors.line_patterns import LinePattern, PatternMatcher
from transmissions.processors.line_progress import ProgressParser
from transmissions.processors.line_show import CommandReport, ShowLines
from transmissions.processors.line_times import Timestamp
from transmissions.processors.lines import LineReader, TextLinesReader
from transmissions.processors.links import LinkFinder, MarkdownToLinks
from transmissions.processors.lookup import Lookup
from transmissions.processors.markdown import ConversationMarkdown
from transmissions.processors.markdown_html import MarkdownBindingsToHTML, MarkdownToHTML
from transmissions.processors.metadata import MetadataExtractor
from transmissions.processors.minting import ResourceMinter
from transmissions.processors.objects import ObjectReader, ObjectWriter
from transmissions.processors.pace import Batch, RateLimiter, Unbatch
from transmissions.processors.page_cache import PageRecall, PageRemember
from transmissions.processors.paths import FilenameMapper, PathOps, PathPart
from transmissions.processors.ping import Ping
from transmissions.processors.rdf_builder import RDFBuilder, TurtleFormatter
from transmissions.processors.redact import RedactSecrets
from transmissions.processors.reports import ConversionReport
from transmissions.processors.show import ShowConfig, ShowCounts, ShowMessage
from transmissions.processors.show_plan import ShowSettings, ShowTransmission
from transmissions.processors.sort import Order, Sort
from transmissions.processors.sparql import SPARQLSelect, SPARQLUpdate
from transmissions.processors.stream import StreamBufferManager, StreamMonitor
from transmissions.processors.strings import Concat, Reverse, StringFilter
from transmissions.processors.structure import JSONWalker, Rename, Restructure, SetField, SetMessage, Setter
from transmissions.processors.templates import Templater
from transmissions.processors.text import MarkdownFormatter, SetText, StringReplace
from transmissions.processors.tree_writer import TreeWriter
from transmissions.processors.trial import Example, TestSetting, TestSettings
from transmissions.processors.urls import URLNormalizer
from transmissions.processors.warc import WARCWriter
from transmissions.processors.web_search_local import LocalSearch
from transmissions.processors.web_search_report import SearchReport
from transmissions.processors.whiteboard import CaptureAll, WhiteboardToMessage
from transmissions.processors.xml_files import XMLReader, XMLWriter
from transmissions.processors.yaml_files import YAMLReader, YAMLWriter
from transmissions.testing import HERE, lay_out, through

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from transmissions import Processor
    from transmissions.running import Run


class Held(NamedTuple):
    """The arguments of `assert_contract`."""

    make: Callable[[], Processor]
    messages: Sequence[Any]
    files: Mapping[str, str | bytes] = {}
    prepare: Callable[[Run], object] | None = None


MESSAGE = {
    "content": "[1, 2]", "filepath": "notes/a.md", "queryResults": [], "url": "http://a", "forEach": ["a", "b"],
    "items": [{"n": 1}, {"n": 2}], "opml": "<opml/>", "rss": "<rss version='2.0'><channel/></rss>",
    "graph": "<a:s> <a:p> 1 .", "data": "{ ?s <a:p> ?o } => { ?s <a:q> ?o } . <a:s> <a:p> 1 .",
}  # fmt: skip
MESSAGES = [MESSAGE, {**MESSAGE, "content": "[]"}]
PLAIN = [
    Accumulate, Batch, DeadEnd, ForEach, Fork, JSONLinesWriter, JSONWalker, LineReader, MarkdownFormatter, NOP, NumberSource,
    Unbatch, Unfork, FilenameMapper, CaptureAll, WhiteboardToMessage,
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
    lambda: DatabaseWriter(url="sqlite:///t.db", table="t", create=True, columns=(Column(name="content"),)),
    lambda: Dedupe(state_file="seen.db"),
    lambda: Join(side_field="content", left="[1, 2]", right="[]", key=("url",), kind="outer"),
    lambda: ObjectWriter(url="objects", name_field="filepath"),
    lambda: Sample(every=2),
    lambda: Sort(by=(Order(path="content", descending=True),), memory=1),
    lambda: XMLReader(input_field="opml", element="opml"),
    lambda: YAMLReader(input_field="content"),
    FileWriter, Halt, ShowConfig, ShowCounts, ShowMessage, StreamBufferManager, StreamMonitor,
    lambda: BashCommand(command="echo a"),
    lambda: CommandSource(command=("echo", "a"), order="merged"),
    lambda: CommandStep(command=("echo", "{url}")),
    lambda: Ping(interval=0, count=2),
]  # fmt: skip


def database() -> bytes:
    """Return a SQLite file with a table of two rows."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder, "t.db"))
        connection.executescript("CREATE TABLE t (n, m); INSERT INTO t VALUES (1, 'a'), (2, 'b')")
        connection.close()
        return Path(folder, "t.db").read_bytes()


def declare_other(run: Run) -> None:
    """Give an app a second transmission, which can be called."""
    other = TransmissionPlan("other", "", False, lay_out([NOP()])[0], HERE)
    own = run.state.load
    run.state.plan = run.plan._replace(transmissions=(*run.plan.transmissions, other))
    run.state.load = lambda node: NOP() if node in other.pipe else own(node)


LINES = [{"line": "a: [10%]", "time": 1.0}, {"line": '{"n": 1}', "time": 2.0}, {"command": {"exitCode": 0}}]
OF_LINES = [
    CommandReport, Filter, JsonLines, Logger, ProgressParser, ShowLines,
    lambda: PatternMatcher(patterns=(LinePattern(pattern="[0-9]+"),)),
    lambda: EventEmitter(event_type="x"),
    lambda: Timestamp(target_field="at", format="delta"),
]  # fmt: skip

SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> .
<a:S> sh:targetClass <a:C> ; sh:property [ sh:path <a:p> ; sh:minCount 1 ] ."""
OF_FILES = [
    Held(lambda: CSVReader(input_field="text"), [{"text": "n,m\n1,a\n2,b\n"}, {"text": ""}]),
    Held(lambda: DirWalker(source_dir="notes"), [{}, {}], {"notes/a.md": "# A", "notes/b.md": "# B"}),
    Held(FileReader, [{"filepath": "a.md"}, {"fullPath": "a.md"}], {"a.md": "# A"}),
    Held(lambda: FileCopy(source="a.md", destination="b.md"), [{}, {}], {"a.md": "# A"}),
    Held(lambda: FileChangeDetector(cache_file="seen.json"), [{"fullPath": "a.md"}] * 2, {"a.md": "# A"}),
    Held(lambda: FileRemove(target="old"), [{}, {}], {"old/a.md": "# A"}),
    Held(lambda: JSONLinesReader(source_file="a.ndjson"), [{}], {"a.ndjson": '{"n": 1}\n{"n": 2}\n'}),
    Held(lambda: Lookup(source_file="a.csv", key=("n",)), [{"n": 1}, {"n": "2"}], {"a.csv": "n,m\n1,a\n2,b\n"}),
    Held(lambda: ObjectReader(url="objects/*"), [{}], {"objects/a": b"a", "objects/b": b"b"}),
    Held(lambda: DatabaseReader(url="sqlite:///t.db", query="SELECT n FROM t"), [{}, {}], {"t.db": database()}),
    Held(lambda: DatasetReader(dataset_file="a.ttl"), [{}], {"a.ttl": "<a:s> a <a:C> ."}),
    Held(
        lambda: SHACLValidate(shapes_file="shapes.ttl"), [{"graph": "<a:s> a <a:C> ."}, {"graph": "<a:s> <a:p> 1 ."}],
        {"shapes.ttl": SHAPES},
    ),
    Held(Decompress, [{"content": gzip.compress(b"a")}, {"content": gzip.compress(b"b")}]),
    Held(lambda: TreeWriter(folder="a"), [{"files": [("b/c.md", b"x")]}, {"files": []}]),
    Held(lambda: GOTO(goto_target="other"), [{"n": 1}, {"n": 2}], prepare=declare_other),
]  # fmt: skip

CRAWLED = [fetched(body_of("blog")), fetched(b"\0", content_type="image/png"), {"event": "summary"}]
FAILED = {**CRAWLED[0], "index": 7, "fault": told(PageFault("NET_TIMEOUT", "it took too long"))}
OF_CRAWLS = [
    *(Held(lambda make=make: make(store="pages.db"), CRAWLED) for make in (PageRecall, PageRemember)),
    *(Held(make, CRAWLED) for make in (RenderGate, lambda: PageExtract(workers=1), PageScore)),
    Held(PageMarkdown, [{**page, "document": {"title": "T", "markdown": "# T"}} for page in CRAWLED]),
    Held(lambda: PageRender(browser="/no/browser"), [{**CRAWLED[0], "gate_decision": "headless"}, *CRAWLED]),
    Held(CrawlReport, [*CRAWLED, FAILED, {"event": "crawl_start"}]),
    Held(lambda: PageLines(destination_file="pages.ndjson"), CRAWLED),
    Held(lambda: PageTriples(destination_file="pages.nt"), CRAWLED),
    Held(
        lambda: WARCWriter(destination_file="pages.warc.gz"),
        [{**page, "fetched_at": "2026-11-21T10:00:00Z"} for page in CRAWLED],
    ),
    Held(CrawlFrontier, [{"urls": ["no URL", "http://"]}, {"event": "search_start"}]),
    Held(
        SearchReport,
        [
            {"event": "search_start", "query": "roses"},
            {"event": "search_results", "urls_found": 3},
            *(page if "event" in page else {**page, "about": {"rank": 1}} for page in [*CRAWLED, FAILED]),
            {"event": "search_start", "query": "oaks"},
        ],
    ),
    Held(
        lambda: LocalSearch(folder="pages"),
        [{"query": "rose"}, {"query": "oak", "include_content": False}],
        {"pages/a.md": '---\nurl: "https://a.example/"\n---\n# Rose\n'},
    ),
]

ARCHIVE = {"conversations.json": json.dumps(sample())}
CHATS = [arriving(chat()), arriving(chat("22222222-2222-4333-8444-0000000000aa", "Another"), "d2")]
WAY = [
    ConversationFilter, RedactSecrets, ConversationPlaces, ConversationRows, ConversationMarkdown, ConversationHTML,
    ConversationRDF, ConversationJSONLines, ConversationDatabase, RecordCollector, ConversationWriter, ConversationLedger,
    HTMLIndex, ConversationIndex, ConversionReport,
]  # fmt: skip
ELEMENT = {"element": sample()[0], "shape": "claude", "members": Members(), "source": {"file": "c.json"}, "digest": "d"}


def on_the_way(at: int) -> Held:
    """Hold a step of the conversion of chats, behind those that stand before it."""
    return Held(WAY[at], through([make() for make in WAY[:at]], CHATS))


def library_class(make: Callable[[], Processor]) -> str:
    """Return the name of the class that is made."""
    return type(make()).__name__


MAKERS: list[tuple[str, Callable[[], Held]]] = [
    *((library_class(make), partial(Held, make, MESSAGES)) for make in PLAIN),
    *((library_class(make), partial(Held, make, LINES)) for make in OF_LINES),
    *((library_class(held.make), partial(Held, *held)) for held in (*OF_FILES, *OF_CRAWLS)),
    *((make.__name__, partial(on_the_way, at)) for at, make in enumerate(WAY)),
    ("ArchiveReader", lambda: Held(lambda: ArchiveReader(archive="conversations.json"), [{}], ARCHIVE)),
    ("ConversationImporter", lambda: Held(ConversationImporter, [ELEMENT, ELEMENT])),
]
"""By the name of each class, what it is held to the contract with."""

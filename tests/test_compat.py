"""`--compat`: what a run prints, what its messages carry, and what they may set."""

import asyncio
import re

import pytest
from old_apps import run, write

from transmissions import RunError, UsageError, engine
from transmissions.plan import from_json, to_json
from transmissions.prepare import prepare

LOOP = """
    :loop a :Transmission ; rdfs:label "a loop" ; :pipe (:each :mark :SM) .
    :each a :ForEach ; :settings [ :forEach "list" ; :remove "true" ] .
    :mark a :SetField ; :field "marked" ; :value "yes" .
    """


def test_lines_tell_what_is_built_and_where_messages_go(tmp_path):
    """What is built, how it is connected, each start and every step of a message are told in the original's words."""
    folder = write(tmp_path / "app", transmissions=""":two a :Transmission ; rdfs:label "Two" ; :pipe (:N :SM) .""")
    assert run(folder).lines == [
        f"APP PATH = {folder}",
        f"*** Module path = {folder}/processors",
        "+ ***** Construct Transmission : Two <http://purl.org/stuff/transmissions/two>",
        "  > Connect #0 [N] => [SM]",
        "+ Run Transmission : Two <http://purl.org/stuff/transmissions/two>",
        "|-> N a NOP",
        "|->  [N] -> SM a ShowMessage",
    ]


def test_without_a_voice_only_data_is_printed(tmp_path):
    """A run that is to be quiet, or to print JSON, prints none of these lines."""
    folder = write(tmp_path / "app", transmissions=":t a :Transmission ; :pipe (:N :SM) .")
    ran = run(folder, {"a": 1}, speaks=False)
    assert ran.lines == []
    assert ran.shown[0]["a"] == 1


def test_the_first_message_has_the_originals_fields(tmp_path):
    """Paths of app, data, work and target, and the time, win over what a message says of them."""
    folder = write(tmp_path / "app", transmissions=":t a :Transmission ; :pipe (:N) .")
    target = write(tmp_path / "target", tt="")
    (message,) = run(folder, {"rootDir": "elsewhere", "a": 1}, target=target).messages
    assert message.pop("appRunStart").endswith("Z")
    paths = {"appPath": folder, "dataDir": folder / "data", "rootDir": target, "workingDir": target, "targetDir": target}
    assert message == {"a": 1, "appName": "app", "tags": "N"} | {name: str(path) for name, path in paths.items()}


def test_a_group_ends_with_a_message_that_is_done(tmp_path):
    """Behind the items ShowMessage shows the message they were made from, which SetField has worked on too."""
    ran = run(write(tmp_path / "app", transmissions=LOOP), {"list": ["a", "b"]})
    told = [(one["done"], one.get("currentItem"), one["marked"], one["tags"]) for one in ran.shown]
    assert told == [
        (False, "a", "yes", "each.mark.SM"),
        (False, "b", "yes", "each.mark.SM"),
        (True, None, "yes", "each.mark.SM"),
    ]
    assert [message["currentItem"] for message in ran.messages] == ["a", "b"]


def test_behind_unfork_nothing_is_done(tmp_path):
    """The message that takes the place of a group says so."""
    text = LOOP.replace(":mark :SM", ":mark :UF :SM")
    (message,) = run(write(tmp_path / "app", transmissions=text), {"list": ["a", "b"]}).shown
    assert (message["done"], message["marked"], message["tags"]) == (False, "yes", "each.mark.UF.SM")


SETTINGS = """
    :t a :Transmission ; :pipe (:text :each :show) .
    :text a :SetText ; :settings [ :text "written" ; :targetField "got" ] .
    :each a :ForEach ; :settings [ :forEach "list" ; :limit 5 ] .
    :show a :ShowMessage .
    """


@pytest.mark.parametrize(
    ("fields", "text", "count"),
    [
        ({"text": "told", "limit": "1"}, "told", 1),
        ({"text": "", "limit": 0}, "written", 3),
        ({"text": 7, "limit": "many"}, "7", 3),
        ({"text": {"no": "text"}, "limit": -1}, "written", 3),
    ],
)
def test_a_true_field_sets_a_setting_of_its_name_if_it_fits(tmp_path, fields, text, count):
    """Empty fields, and those a setting could not be, set nothing."""
    ran = run(write(tmp_path / "app", transmissions=SETTINGS), {"list": [1, 2, 3], **fields})
    assert ([one["got"] for one in ran.messages], len(ran.shown)) == ([text] * count, count + 1)


def test_a_field_sets_what_was_prepared_from_a_setting_too(tmp_path):
    """A processor is prepared anew with what a message sets, for that message only."""
    turtle = """
        :t a :Transmission ; :pipe (:each :unpack :p :SM) .
        :each a :ForEach ; :settings [ :forEach "list" ] .
        :unpack a :Restructure ; :settings [ :rename ( [ :pre "currentItem" ; :post "suffix" ] ) ] .
        :p a :Twice ; :settings [ :suffix "!" ] .
        """
    python = '''
        from transmissions import Processor

        class Twice(Processor):
            """Prepares something."""

            suffix: str = ""
            "An end."

            def __post_init__(self):
                self.ready = self.suffix * 2

            def process(self, message):
                message["ready"] = self.ready
                return message
        '''
    folder = write(tmp_path / "app", transmissions=turtle, **{"processors__twice.py": python})
    assert [one["ready"] for one in run(folder, {"list": ["a", "", "b"]}).messages] == ["aa", "!!", "bb"]


def test_what_a_message_sets_is_forgotten_behind_it(tmp_path):
    """A step that keeps state works on itself, and has its own settings back afterwards."""
    turtle = """
        :t a :Transmission ; :pipe (:each :up :SM) . :each a :ForEach ; :settings [ :forEach "list" ] .
        :up a :Restructure ; :settings [ :rename ( [ :pre "currentItem" ; :post "alert" ] ) ] .
        """
    ran = run(write(tmp_path / "app", transmissions=turtle), {"list": ["first", "", "third"]}, speaks=False)
    assert re.findall("^      (.*)      $", ran.text, re.MULTILINE) == ["first", "Show Message", "third", "Show Message"]


def test_no_message_sets_what_is_protected(tmp_path):
    """A template is code, and stays what the app says."""
    turtle = """:t a :Transmission ; :pipe (:p) . :p a :Templater ; :template "mine" ."""
    (message,) = run(write(tmp_path / "app", transmissions=turtle), {"template": "theirs"}).messages
    assert message["content"] == "mine"


def test_no_message_says_what_is_removed(tmp_path):
    """FileRemove takes away what the app says, however its message is made up."""
    turtle = """:t a :Transmission ; :pipe (:p) . :p a :FileRemove ; :target "old" ."""
    folder = write(tmp_path / "app", transmissions=turtle, data__old="", data__kept="")
    run(folder, {"target": "kept", "folders": True})
    assert [file.name for file in (folder / "data").iterdir()] == ["kept"]


def test_a_processor_keeps_names_of_its_own(tmp_path):
    """What a step is wrapped in takes no name that its class could have: RDFConfig reads the message's patterns."""
    turtle = """:t a :Transmission ; :pipe (:p) . :p a :RDFConfig ."""
    patterns = [{"name": "found", "property": "http://example.org/b"}]
    message = {"dataset": "<urn:a> <http://example.org/b> 1 .", "configPatterns": patterns}
    assert run(write(tmp_path / "app", transmissions=turtle), message).messages[0]["configMap"] == {"found": 1}


def test_templates_print_nothing_where_nothing_is(tmp_path):
    """As those of the original do, unless the app says otherwise."""
    turtle = """:t a :Transmission ; :pipe (:p) . :p a :Templater ; :template "{{ a.b }}{% if c.d %}e{% endif %}f" ."""
    folder = write(tmp_path / "app", transmissions=turtle)
    assert run(folder).messages[0]["content"] == "f"
    write(folder, transmissions=turtle.replace(':template "', ':undefined "error" ; :template "'))
    with pytest.raises(RunError, match="'a' is undefined"):
        run(folder)


def test_a_query_of_any_graph_leaves_the_next_its_own(tmp_path):
    """What the first asked is no setting of the second."""
    turtle = """:t a :Transmission ; :pipe (:a :b) .
        :a a :SPARQLSelect ; :store "memory" ; :template "ASK { GRAPH {{ graph }} { ?s ?p ?o } }" .
        :b a :SPARQLSelect ; :store "memory" ; :template "ASK { GRAPH <{{ graph }}> { ?s ?p ?o } }" ; :graph <urn:own> ."""
    assert run(write(tmp_path / "app", transmissions=turtle)).messages[0]["graph"] == "urn:own"


def test_over_the_api_data_sets_nothing(tmp_path):
    """Only whoever starts a run by hand may set settings by its message."""
    folder = write(tmp_path / "app", transmissions=SETTINGS.replace(" :show)", ")"))
    (message,) = engine.run(str(folder), message={"list": [1], "text": "told"}, compat=True).messages
    assert message["got"] == "written"


def test_a_message_may_bring_what_a_node_lacks(tmp_path):
    """A setting without a default that is written nowhere is a warning, and an error only for a message without it."""
    folder = write(tmp_path / "app", transmissions=":t a :Transmission ; :pipe (:f) . :f a :SetField ; :value 1 .")
    assert run(folder, {"field": "a.b"}).messages[0]["a"] == {"b": 1}
    with pytest.raises(RunError, match="SetField needs 'field': neither the settings nor the message has it"):
        run(folder)


def test_what_no_message_can_bring_is_named_as_turtle_has_it(tmp_path):
    """A processor that cannot be made without a setting says so before the run."""
    folder = write(tmp_path / "app", transmissions=":t a :Transmission ; :pipe (:p) . :p a :HttpProxy .")
    with pytest.raises(UsageError, match="needs the setting baseURL"):
        run(folder, {"baseURL": "http://a.example/"})


def test_a_transmission_gets_the_first_result_of_the_one_before(tmp_path):
    """Several transmissions run in their order; one that gives nothing leaves the message as it was."""
    turtle = """
        :one a :Transmission ; :pipe (:fork :a) . :fork a :Fork ; :forks 2 . :a a :SetField ; :field "a" ; :value 1 .
        :two a :Transmission ; :pipe (:N :DE) .
        :three a :Transmission ; :pipe (:SM) .
        """
    (message,) = run(write(tmp_path / "app", transmissions=turtle)).shown
    assert (message["a"], message["forkN"], message["tags"]) == (1, 0, "fork.a.SM")


def test_a_plan_remembers_that_it_is_for_compat(tmp_path):
    """It is another plan, in the cache and as JSON."""
    folder = write(tmp_path / "app", transmissions=":t a :Transmission ; :pipe (:N) .")
    app = engine.find_app(str(folder))
    for compat in (True, False, True):
        plan = prepare(app, compat=compat).plan
        assert plan.compat == compat
        assert from_json(to_json(plan)) == plan


def test_steps_of_every_kind_are_wrapped(tmp_path):
    """Asynchronous steps, sources that wait, batches and threads get their tags."""
    python = '''
        from transmissions import Processor, Source

        class Later(Source):
            """Gives as it comes."""

            async def produce(self, message):
                yield [dict(message)]

        class Batched(Processor):
            """Takes many."""

            placement = "thread"

            def process_batch(self, messages):
                return messages

        class Waiting(Processor):
            """Waits."""

            async def process_batch(self, messages):
                return [{**message, "end": True} for message in messages]
        '''
    turtle = """
        :t a :Transmission ; :pipe (:l :slow :b :w) . :l a :Later . :b a :Batched . :w a :Waiting .
        :slow a :ForEach ; :delay 0.1 .
        """
    folder = write(tmp_path / "app", transmissions=turtle, **{"processors__kinds.py": python})
    (message,) = run(folder, {"forEach": ["a"]}).messages
    assert (message["tags"], message["done"], message["end"]) == ("l.slow.b.w", False, True)


def test_without_compat_nothing_of_it_is_there(tmp_path):
    """An ordinary run gives messages without tags, and its processors are of their own classes."""
    folder = write(tmp_path / "app", transmissions=":t a :Transmission ; :pipe (:N) .")
    opened = engine.open(str(folder), message={"a": 1})
    assert type(opened) is engine.Run
    assert asyncio.run(_messages(opened)) == [{"a": 1}]


async def _messages(opened):
    async with opened:
        return [message async for message in opened]

"""Conclusions from rules: Eye."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from transmissions import Processor, Range, RunError, Unit, get_field, set_field

from .access import need_text
from .files import decoded
from .n3_text import read_n3

if TYPE_CHECKING:
    from transmissions import Message

    from .n3_terms import N3


class Eye(Processor):
    """Draw conclusions from facts and rules in N3, and answer a query with them.

    Reads facts and rules (`{ … } => { … }`) as text of N3, of which Turtle is a part, from the field `data`, and rules that
    say what is asked from the field `query`. Writes what the query's rules say to `result`, and all that follows from the
    data and is not said in it to `inferred`; without a query both are the same. Both are Turtle with the prefixes of data and
    query. Rules work forwards until nothing new follows; more than `limit` triples, or more than `seconds`, are an error.

    Known are the common built-ins of `math:`, `string:`, `list:` and `log:` (equalTo, notEqualTo, uri); any other in those
    namespaces, backward rules (`<=`), formulae as terms and `@forAll` are errors with their place. A blank node in a body is a
    variable; one that is only in the head becomes a new node for each binding of the rule's variables. A rule
    `{ … } => false` is an error once its body holds. Everything is in memory: some 150 bytes a triple.

    ```turtle
    :think a :Eye ; :rulesFile "rules.n3" ; :limit 20000 .
    ```
    """

    placement = "thread"

    data_field: str = "data"
    "Dotted path of the facts and rules."
    query_field: str = "query"
    "Dotted path of the query; a message may do without."
    rules_file: str = ""
    "A file with more facts and rules, for every message."
    limit: Annotated[int, Range(ge=1)] = 100_000
    "How many triples may follow at most."
    seconds: Annotated[float, Range(gt=0), Unit("s")] = 60.0
    "How long one message may take."
    result_field: str = "result"
    "Dotted path the answer is written to."
    inferred_field: str = "inferred"
    "Dotted path for what follows."

    def __post_init__(self) -> None:
        """Begin without rules."""
        self._rules: N3 | None = None

    def process(self, message: Message) -> Message:
        """Draw the conclusions."""
        from .n3_reasoner import Reasoner
        from .n3_writer import Turtle

        known = [read_n3(need_text(message, self.data_field), f"field '{self.data_field}'"), *self._more()]
        query = self._query(message)
        reasoner = Reasoner(limit=self.limit, seconds=self.seconds, stem=max((one.stem for one in known), key=len))
        facts = [triple for one in [*known, *query] for triple in one.facts]
        inferred = reasoner.reason(facts, [rule for one in known for rule in one.rules])
        answer = reasoner.answer([rule for one in query for rule in one.rules]) if query else inferred
        prefixes = {name: iri for one in reversed([*known, *query]) for name, iri in one.prefixes.items()}
        set_field(message, self.result_field, Turtle(prefixes).write(answer))
        set_field(message, self.inferred_field, Turtle(prefixes).write(inferred))
        return message

    def _query(self, message: Message) -> list[N3]:
        text: Any = get_field(message, self.query_field)
        if text is None:
            return []
        query = read_n3(need_text(message, self.query_field), f"field '{self.query_field}'", "q")
        if not query.rules:
            raise RunError(f"the field '{self.query_field}' holds no rule, as in `{{ ?s a ?type }} => {{ ?s a ?type }}`")
        return [query]

    def _more(self) -> list[N3]:
        if self._rules is None and self.rules_file:
            path = self.context.input_path(self.rules_file)
            if not path.is_file():
                raise RunError(f"no file '{self.rules_file}' with rules; looked for {path}")
            self._rules = read_n3(decoded(path.read_bytes(), path), str(path), "r")
        return [self._rules] if self._rules else []

"""What no setting of any processor can be: told before anything runs, and where it stands."""

import pytest
from examining import examine

from transmissions.homes import bundled
from transmissions.registry import Registry

LIBRARY = Registry([bundled()])


@pytest.mark.parametrize("name", LIBRARY.names())
def test_a_value_of_another_kind_is_located(name, tmp_path):
    """A blank node is no text and no number, a number is no record, and what is no setting is told as well."""
    spec = LIBRARY.named(name)
    values = {":settingNobodyKnows": "1"} | {f":{one.term}": "1.5" if one.kind == "record" else "[]" for one in spec.settings}
    turtle = f":it a :{name}\n" + "".join(f"; {term} {value}\n" for term, value in values.items())
    plan, problems = examine(tmp_path, f"{turtle}. :main a :EntryTransmission ; :pipe ( :it ) .")
    first = next(problem.span.line for problem in problems if "settingNobodyKnows" in problem.message)
    assert plan is None
    assert set(range(len(values))) <= {problem.span.line - first for problem in problems}

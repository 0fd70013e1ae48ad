"""Every processor of the library in the real engine, held to what it relies on."""

import pytest
from makers import MAKERS
from served_makers import SERVED

from transmissions.homes import bundled
from transmissions.registry import Registry
from transmissions.testing import assert_contract


def test_every_processor_is_held_to_the_contract():
    """No class of the library is missing here, and none is here that the library does not have."""
    assert sorted({name for name, _ in MAKERS} | set(SERVED)) == Registry([bundled()]).names()


@pytest.mark.parametrize(("name", "held"), MAKERS, ids=[name for name, _ in MAKERS])
def test_a_processor_keeps_the_contract(name, held):
    """An empty stream, a stream, and a failing run behind it are all taken well."""
    make, messages, files, prepare = held()
    assert messages
    assert_contract(make, messages, files=files, prepare=prepare)


@pytest.mark.parametrize("name", SERVED)
def test_a_processor_that_talks_to_others_keeps_the_contract(name):
    """So it is with a server at the other end."""
    with SERVED[name]() as (make, messages, files, prepare):
        assert messages
        assert_contract(make, messages, files=files, prepare=prepare)

"""The guard: which URLs from outside may be fetched."""

from urllib.parse import urlsplit

import pytest
from egress_table import HOSTILE, HOSTILE_ADDRESSES, PUBLIC, PUBLIC_ADDRESSES
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from transmissions.processors.egress import Allowed, fault_of, kind_of, take_apart
from transmissions.processors.fetch_errors import Refused

NOBODY = Allowed(())


def fault(url, allow=()):
    try:
        return fault_of(take_apart(url), Allowed(allow))
    except Refused as error:
        return str(error)


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_is_refused_before_any_address_is_asked_for(url):
    """Other schemes, odd spellings, local names, private literals, two ways of reading."""
    assert fault(url)


@pytest.mark.parametrize("text", ["example.org", "//example.org/", "http:example.org", ""])
def test_what_has_no_scheme_is_told_how_a_url_begins(text):
    """It is no riddle about ways of reading."""
    assert fault(text).endswith("is no URL; it must begin with http:// or https://")


@pytest.mark.parametrize("url", PUBLIC)
def test_a_public_url_passes(url):
    """The guard is in nobody's way."""
    assert fault(url) == ""


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_an_address_nothing_public_lives_at_is_refused(address):
    """Whatever its block is for, and in whichever notation an IPv4 address hides in IPv6."""
    assert kind_of(address, NOBODY)


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_a_public_address_passes(address):
    """Also the first and last beside a block that is refused."""
    assert kind_of(address, NOBODY) == ""


def test_a_url_is_rebuilt_from_what_was_understood():
    """Lower case, no trailing dot, no usual port, no fragment, everything odd percent-encoded."""
    place = take_apart(" HTTPS://Bücher.DE.:443/a b/ü?q=ö&x=%20#part ")
    assert place.url == "https://xn--bcher-kva.de/a%20b/%C3%BC?q=%C3%B6&x=%20"
    assert take_apart("http://[2606:4700:0::1]:8080?x").url == "http://[2606:4700::1]:8080/?x"


@given(st.text("ab:/@[]?#%.0127x\\ ö-_", max_size=24))
def test_what_is_understood_is_what_the_client_connects_to(text):
    """Two other parsers read host and port of every URL that passes as the guard did."""
    try:
        place = take_apart(f"http://{text}")
    except Refused:
        return
    seen, split = URL(place.url, encoded=True), urlsplit(place.url)
    assert (seen.scheme, seen.raw_host, seen.port, seen.raw_path_qs) == (place.scheme, place.host, place.port, place.path)
    assert (split.hostname, split.port or 80, split.username) == (place.host, place.port, None)


def test_a_url_is_shown_without_its_secrets():
    """Neither credentials nor what may be a key in the query are for the log."""
    assert take_apart("https://u:secret@example.org/a?key=secret").shown == "https://example.org/a?…"
    with pytest.raises(Refused) as refused:
        take_apart("https://u:secret@example.org:99999/a?key=secret")
    assert "secret" not in str(refused.value)


def test_what_is_allowed_is_exempt_and_nothing_else():
    """By name, by address and by network."""
    allow = ("intranet.local", "10.1.0.0/16", "::1")
    assert not any(fault(url, allow) for url in ("http://intranet.LOCAL./x", "http://10.1.2.3/", "http://[::1]:8080/"))
    assert all(
        fault(url, allow) for url in ("http://x.intranet.local/", "http://10.2.2.3/", "http://[::2]/", "http://u@10.1.2.3/")
    )


@pytest.mark.parametrize("port", [22, 25, 6667])
def test_a_port_of_another_service_is_refused(port):
    """As browsers do; a host that is allowed may have its pages anywhere."""
    assert fault(f"http://example.org:{port}/") == (
        f"port {port} is for something else than the web, and :allow does not name 'example.org'"
    )
    assert fault(f"http://example.org:{port}/", ("example.org",)) == ""
    assert fault(f"http://10.1.2.3:{port}/", ("10.0.0.0/8",)) == ""
    assert fault("http://example.org:8443/") == ""

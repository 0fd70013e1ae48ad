"""URLNormalizer."""

import pytest

from transmissions import RunError
from transmissions.processors.urls import URLNormalizer

USER = "u:p@"
"""Whole addresses with a password are what a search for secrets finds."""


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        (" HTTP://Ex.COM:80 ", "http://ex.com/"),
        ("https://a.:443/b/../c/./d/", "https://a/c/d/"),
        ("http://a:8080/%7eb/%2f%c3%a9?x=%41#f", "http://a:8080/~b/%2F%C3%A9?x=A"),
        ("http://a//b/../c", "http://a//c"),
        ("http://a/../../b", "http://a/b"),
        (f"http://{USER}[::1]/x/..", f"http://{USER}[::1]/"),
    ],
)
def test_addresses_that_mean_the_same_become_alike(bench, url, normal):
    """Case, default port, dots, needless escapes and fragment go; what may mean something stays."""
    assert bench.through(URLNormalizer(), {"url": url}) == [{"url": normal}]
    assert bench.through(URLNormalizer(), {"url": normal}) == [{"url": normal}]


def test_more_goes_if_it_is_asked_for(bench):
    """A slash at the end, and parameters by name; the fragment may stay, and the result go elsewhere."""
    step = URLNormalizer(
        input_field="a.b", output_field="c", remove_trailing_slash=True, remove_fragment=False, remove_parameters=("utm_*", "x")
    )
    (message,) = bench.through(step, {"a": {"b": "http://a/b/?utm_source=1&x&y=2#f"}})
    assert message["c"] == "http://a/b?y=2#f"
    assert bench.through(step, {"a": {"b": "http://a/?x=1"}})[0]["c"] == "http://a/"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("ftp://a/", "its scheme is 'ftp', not http or https"),
        ("a/b", "its scheme is '', not"),
        ("http:///a", "it has no host"),
        ("http://me:secret", "its host or port cannot be read$"),
        (7, "not text but a int"),
    ],
)
def test_what_is_no_web_address_fails(bench, url, fault):
    """The error names the field, and never the address, in which there may be a password."""
    with pytest.raises(RunError, match=fault):
        bench.through(URLNormalizer(), {"url": url})

"""What may be fetched: URLs taken apart strictly, and the addresses behind them judged. Nothing here touches the network.

A URL is parsed once, by one strict grammar, and rebuilt from its parts, so that what was judged is what the client connects
to. Whatever two parsers might read differently (a backslash, `127.1`, `%31` in a host, two `@`) is refused, not guessed at.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, urljoin

from .fetch_errors import Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from ipaddress import IPv4Network, IPv6Network

    Address = IPv4Address | IPv6Address

LONGEST: Final = 8192
"""Characters of a URL, at most."""

_URL: Final = re.compile(
    r"(?i:https?)://(?:(?P<user>[^@/?#\\]+)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^@:/?#\[\]\\%]+)(?::(?P<port>[0-9]{0,5}))?(?P<rest>[/?#].*)?"
)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]{0,30}")
_ABSOLUTE: Final = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:")
_PORTS: Final = {"http": 80, "https": 443}
# fmt: off
_BARRED: Final = frozenset((
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
    111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
    540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
    6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
))
# fmt: on
"""Ports of mail, shells, names and the like: what speaks there may take a request for its own words. (Fetch standard, 2.10)"""
_NAME: Final = re.compile(r"(?!.{254})(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")
_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
"""What ends in a number is an address for every resolver, however it is spelled (`2130706433`, `0x7f.1`, `0177.0.0.1`)."""
_PRIVATE_NAMES: Final = ("localhost", "localdomain", "local", "internal", "home.arpa")
_SAFE: Final = "%/:?@!$&'()*+,;=~-._[]"
_NAT64: Final = ip_network("64:ff9b::/96")
_GLOBAL_UNICAST: Final = ip_network("2000::/3")

_SPECIAL: Final = tuple(
    (ip_network(network), kind)
    for kind, networks in {
        "an unspecified address": "0.0.0.0/8 ::/128",
        "a private address": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10",
        "an address behind a carrier's NAT": "100.64.0.0/10",
        "a loopback address": "127.0.0.0/8 ::1/128",
        "a link-local address": "169.254.0.0/16 fe80::/10",
        "an address reserved for protocols": "192.0.0.0/24 2001::/23",
        "an address for documentation": "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
        "an address for benchmarks": "198.18.0.0/15",
        "an address of a 6to4 relay": "192.88.99.0/24 2002::/16",
        "the metadata address of a cloud": "168.63.129.16/32",
        "a multicast address": "224.0.0.0/4 ff00::/8",
        "the broadcast address": "255.255.255.255/32",
        "a reserved address": "240.0.0.0/4",
        "an IPv4 address in IPv6": "::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b:1::/48 ::/96",
    }.items()
    for network in networks.split()
)
"""Address blocks nothing public lives in, by what they are. `ipaddress` alone calls several of them global."""


class Place(NamedTuple):
    """A URL in its parts."""

    scheme: str
    host: str
    """In lower case and ASCII, without a trailing dot and without brackets."""
    port: int
    path: str
    """Percent-encoded, with the query."""
    user: str
    """`name:password`, or empty."""

    @property
    def origin(self) -> str:
        """Scheme, host, and the port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    @property
    def url(self) -> str:
        """The URL without credentials and fragment."""
        return self.origin + self.path

    @property
    def shown(self) -> str:
        """The URL for people: without credentials, and without the values of a query, which may be keys."""
        path, question, _ = self.path.partition("?")
        return f"{self.origin}{path}{'?…' if question else ''}"

    @property
    def address(self) -> Address | None:
        """The address, where the host is one."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None


class Allowed:
    """The hosts, addresses and networks a user exempts from the guard: `intranet.example`, `10.1.2.3`, `10.0.0.0/8`."""

    def __init__(self, entries: Collection[str]) -> None:
        self._names: set[str] = set()
        self._networks: list[IPv4Network | IPv6Network] = []
        for entry in entries:
            try:
                self._networks.append(ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self._names.add(entry.rstrip(".").lower())

    def name(self, host: str) -> bool:
        """Whether a host is exempt by its name."""
        return host in self._names

    def address(self, address: Address) -> bool:
        """Whether an address is exempt."""
        return any(address in network for network in self._networks)


def take_apart(url: str) -> Place:
    """Return the parts of an absolute http or https URL.

    Raises:
        Refused: it is none, or may be read in more than one way.

    """
    url = url.strip(" ")
    scheme, colon, _ = url.lower().partition(":")
    if colon and scheme not in _PORTS and _SCHEME.fullmatch(scheme):
        raise Refused(f"{_named(url)}: only http and https are fetched, not '{scheme}'")
    if not url.lower().startswith(("http://", "https://")):
        raise Refused(f"{_named(url)} is no URL; it must begin with http:// or https://")
    found = _URL.fullmatch(url) if len(url) <= LONGEST and url.isprintable() else None
    if not found:
        raise Refused(f"{_named(url)} is not an absolute URL that can be read in one way only")
    port = int(found["port"] or _PORTS[scheme])
    if not 0 < port < 65536:  # noqa: PLR2004 - the ports there are
        raise Refused(f"{_named(url)}: there is no port {port}")
    path, _, query = (found["rest"] or "").partition("#")[0].partition("?")
    way = quote(f"{path or '/'}{f'?{query}' if query else ''}", safe=_SAFE)
    return Place(scheme, _host(found["host"], url), port, way, found["user"] or "")


def resolve(base: Place, reference: str) -> Place:
    """Return the parts of what a page or a redirect at `base` refers to, by an absolute URL or a relative one.

    Raises:
        Refused: see `take_apart`.

    """
    try:
        # urljoin would take `http:///x` and `http:x` for paths of its base, and browsers take them for hosts.
        return take_apart(reference if _ABSOLUTE.match(reference) else urljoin(base.url, reference))
    except ValueError as error:
        raise Refused(f"{_named(reference)} is not a URL: {error}") from error


def _named(url: str) -> str:
    shown = re.sub(r"//[^/?#]*@", "//", url[:200].partition("?")[0])
    return f"'{''.join(letter if letter.isprintable() else '�' for letter in shown)}{'…' if len(url) > len(shown) else ''}'"


def _host(text: str, url: str) -> str:
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            raise Refused(f"{_named(url)}: '{text}' is not an IPv6 address") from None
    host = (text if text.isascii() else _to_ascii(text, url)).lower().removesuffix(".")
    if not _NAME.fullmatch(host):
        raise Refused(f"{_named(url)}: '{text}' is not the name of a host")
    if _NUMBER.fullmatch(host):
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise Refused(f"{_named(url)}: '{text}' is not an IPv4 address in its usual spelling") from None
    return host


def _to_ascii(text: str, url: str) -> str:
    import idna

    try:
        return idna.encode(text, uts46=True).decode()
    except idna.IDNAError as error:
        raise Refused(f"{_named(url)}: '{text}' is not the name of a host: {error}") from error


def fault_of(place: Place, allowed: Allowed) -> str:
    """Return why an untrusted URL is refused, as far as that is known without asking for addresses; empty if it is not."""
    if place.user:
        return "only a URL of your own Turtle may carry a name or password"
    if allowed.name(place.host):
        return ""
    if place.host.endswith(tuple(f".{name}" for name in _PRIVATE_NAMES)) or place.host in _PRIVATE_NAMES:
        return f"'{place.host}' is a name for local hosts only, and :allow does not name it"
    if place.port in _BARRED and not (place.address and allowed.address(place.address)):
        return f"port {place.port} is for something else than the web, and :allow does not name '{place.host}'"
    return fault_of_addresses(place.host, [place.host], allowed) if place.address else ""


def fault_of_addresses(host: str, addresses: Iterable[str], allowed: Allowed) -> str:
    """Return why a host of an untrusted URL is refused for its addresses: all must be public, for one would be enough."""
    if allowed.name(host):
        return ""
    kinds = ((address, kind_of(address, allowed)) for address in addresses)
    address, kind = next(((address, kind) for address, kind in kinds if kind), ("", ""))
    if not kind:
        return ""
    is_at = f"'{host}' is" if host == address else f"'{host}' is at {address},"
    return f"{is_at} {kind}, and :allow does not name it"


def kind_of(text: str, allowed: Allowed) -> str:
    """Return what an address is, where it is anything but a public one; empty if it is public or allowed."""
    try:
        address = ip_address(text)
    except ValueError:
        return "not an address"
    if allowed.address(address):
        return ""
    if address.version == 6 and address.scope_id:  # noqa: PLR2004 - the version of the protocol
        return "an address of one link"
    if address in _NAT64:  # where there is only IPv6, every host is behind this; what counts is the address within
        return kind_of(str(IPv4Address(int(address) & 0xFFFFFFFF)), allowed)
    named = next((kind for network, kind in _SPECIAL if address in network), "")
    is_other = address.version == 6 and address not in _GLOBAL_UNICAST  # noqa: PLR2004
    return named or ("a reserved address" if is_other else "")

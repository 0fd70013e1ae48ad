"""Passwords and keys told by the command, the header or the address they stand in.

Each is looked for only where a word stands that it begins with, and its expression is bounded, so that no text takes long.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE: Final = rb"(?:[^\r\n|;]|\\\r?\n){0,300}?"
_PASSWORD: Final = rb"""\\{0,3}["']?(?P<value>[^\s"'\\]{4,256})"""
_NAMED: Final = rb"[\w.]{0,40}(?:password|passwd|secret|token|_key|_pass)\w{0,16}[ \t]+" + _PASSWORD
_WORDS: Final = rb"""[\\"'*`]{0,6}\s{0,3}[:=]\s{0,3}[\\"'*`]{0,6}(?P<words>(?:[a-z]{3,8}[ ]){11,23}[a-z]{3,8})"""
_HOOK: Final = rb"(?P<hook>[\w/-]{20,200})"
_PATTERNS: Final = {
    b"curl": rb"curl(?=\s)" + _LINE + rb"""\s(?:-u|--user)[ =]?\\{0,3}["']?[^\s:"'\\]{1,64}:(?P<value>[^\s"'\\]{4,128})""",
    b"sshpass": rb"sshpass\s+-p\s?" + _PASSWORD,
    b"mysql": rb"mysql[a-z]*\s" + _LINE + rb"\s-p(?!ort|assword|rotocol|ipe|lugin)" + _PASSWORD,
    b"mariadb": rb"mariadb[a-z-]*\s" + _LINE + rb"\s-p(?!ort|assword|rotocol|ipe|lugin)" + _PASSWORD,
    b" login ": rb"[ ]login[ ]" + _LINE + rb"(?<=\s)(?:-p|--password)[ =]" + _PASSWORD,
    b"machine ": rb"machine[ ]\S{1,100}\s+login\s+\S{1,100}\s+password\s+(?P<value>\S{4,128})",
    b"configure set ": rb"configure[ ]set[ ]" + _NAMED,
    b"setx ": rb"setx[ ]" + _NAMED,
    b"set -": rb"set[ ]-[a-z]{1,3}[ ]" + _NAMED,
    b"env ": rb"(?-i:ENV)[ ]" + _NAMED,
    b"securestring": rb"""securestring\s+(?:-string\s+)?\\{0,3}["'](?P<value>[^\s"'$\\]{4,128})\\{0,3}["']""",
    b"define(": rb"""define\(\s*["'][A-Z_]{0,40}(?:PASSWORD|SECRET|TOKEN|KEY|SALT)["']\s*,\s*(?:'(?P<value>[^'\r\n]{4,128})'
        |"(?P<words>[^"\r\n]{4,128})")""",
    b"hooks.slack": rb"hooks\.slack(?:-gov)?\.com/[a-z]{1,20}/" + _HOOK,
    b"webhooks/": rb"webhooks/\d{17,20}/" + _HOOK,
    b"incomingwebhook/": rb"incomingwebhook/" + _HOOK,
    b"jdbc:oracle:": rb"""jdbc:oracle:[a-z]{2,6}:[\w$#]{1,30}/(?P<value>[^\s@"']{4,64})@""",
    b"mnemonic": rb"mnemonic" + _WORDS,
    b"phrase": rb"phrase" + _WORDS,
    b"cookie": rb"""cookie\\{0,3}["']?:\s{0,3}\\{0,3}["']?(?P<pairs>[\w.%-]{1,100}=[^\r\n"']{1,4096})""",
    b"basic ": rb"""basic[ ]{1,3}(?P<login>[A-Za-z0-9+/]{6,512}={0,2})""",
    b"auth": rb"""auth\\{0,3}"\s?:\s?\\{0,3}"(?P<login>[A-Za-z0-9+/]{6,512}={0,2})\\{0,3}\"""",
}  # fmt: skip
_FORMS: Final = {word: re.compile(pattern, re.VERBOSE | re.IGNORECASE) for word, pattern in _PATTERNS.items()}
"""Each begins with its word, and says by the name of its group what the value has to be."""
_PAIR: Final = re.compile(rb"=(?P<value>[^\s;,=\\]{16,4096}={0,2})(?=[;\s\\]|$)")
_QUERY: Final = re.compile(rb"(?:\?|%3[fF])[\w.~%&;=+/:@,!$*-]{17,8192}")
_FIELD: Final = re.compile(
    rb"""(?:[?&;]|%3f|%26) (?:sig|signature|x-(?:amz|goog)-signature|key|code|auth|jwt|sid|ticket
         |session_?(?:id|key)?|\w{0,20}token) (?:=|%3d) (?P<value>(?:[\w.~+/:-]|%(?!26)[0-9a-f]{2}){16,2048}={0,2})""",
    re.VERBOSE | re.IGNORECASE,
)
_TURN: Final = re.compile(rb"(?=[A-Za-z][0-9]|[0-9][A-Za-z])")
_FEW: Final = 3
_NAME: Final = re.compile(rb"[A-Za-z_.-]+[0-9]{0,2}|[$%{<&@*].*|.*\[redacted:.*|[xX*.]+", re.DOTALL)
_LATIN: Final = re.compile(rb"[A-Za-z0-9]")


def find_logins(data: bytes, low: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the passwords and keys stand; `low` is the same in small letters."""
    for word, form in _FORMS.items():
        place = low.find(word)
        while place >= 0:
            found = form.match(data, place)
            if found:
                yield from _values(data, found)
            place = low.find(word, found.end() if found else place + len(word))
    if b"=" in data or b"%3d" in low:
        for query in _QUERY.finditer(data):
            fields = _FIELD.finditer(data, *query.span())
            yield from (field.span("value") for field in fields if is_random(field["value"]))


def _values(data: bytes, found: re.Match[bytes]) -> Iterator[tuple[int, int]]:
    kind, value = str(found.lastgroup), found[str(found.lastgroup)]
    if kind == "pairs":
        pairs = _PAIR.finditer(data, *found.span(kind))
        yield from (pair.span("value") for pair in pairs if is_random(pair["value"]))
    elif kind == "value":
        if not _NAME.fullmatch(value) and _LATIN.search(value):
            yield found.span(kind)
    elif kind == "words" or (is_login(value) if kind == "login" else is_random(value)):
        yield found.span(kind)


def is_login(value: bytes) -> bool:
    """Whether a value is a name and a password in Base64, as headers have them."""
    try:
        name, colon, password = base64.b64decode(value, validate=True).partition(b":")
    except binascii.Error:
        return False
    return bool(name and colon and password) and (name + password).isascii() and name.isalnum()


def is_random(value: bytes) -> bool:
    """Whether letters and digits stand in a value as in no name, number or time."""
    return sum(1 for _ in _TURN.finditer(value)) >= _FEW

"""Passwords and keys that have no form of their own: what stands behind a word like `password`, `api_key` or `Authorization`.

The word and a sign between it and its value tell a credential, and the value must look like one: code that only speaks of them
(`password = getpass()`, `token: str`, `"token": null`, `secret=config.secret`) is to stay as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .logins import find_logins, is_random

if TYPE_CHECKING:
    from collections.abc import Iterator

_PASSWORDS: Final = {
    b"pass": rb"pass(?:word|wd|phrase|code|wort|e)?s?",
    b"pwd": rb"pwd",
    b"psk": rb"psk",
    b"kennwort": rb"kennwort",
    b"wachtwoord": rb"wachtwoord",
    b"senha": rb"senha",
    b"contrase": rb"contrase(?:\xc3\xb1|\\{1,4}u00f1)a",
    **{word.encode(): word.encode() for word in ("пароль", "密码")},
    b"u043f": rb"u043f\\{1,4}u0430\\{1,4}u0440\\{1,4}u043e\\{1,4}u043b\\{1,4}u044c",
    b"u5bc6": rb"u5bc6\\{1,4}u7801",
}
_WORDS: Final = {
    **_PASSWORDS,
    b"secret": rb"secret",
    b"token": rb"token",
    b"key": rb"key",
    b"authorization": rb"authorization",
    b"_auth": rb"_auth",
}
"""What they begin with, and their expressions; letters that are none of ASCII stand as numbers in JSON."""
_AFTER: Final = rb"""
    (?:[_-]?(?:access|auth|api|secret)?[_-]?(?:key|token|value|base64|b64|base|data|[0-9]))?(?:_base)?
    (?P<close>\\{0,3}["'`]?\]?(?:\*\*|__)?)
    (?P<sign>\s{0,4}(?::=|=>|:(?![:=])|=(?![=~>])|\xef\xbc\x9a|\\{1,4}uff1a)(?:\*\*|__)?\s{0,4} | > | \s{1,2}is\s{1,2}
       | \s{0,40}\|\s{0,4} | %3d)
"""
_PLACES: Final = {word: re.compile(name + _AFTER, re.VERBOSE) for word, name in _WORDS.items()}
_OPTION: Final = re.compile(rb"--[a-z0-9-]{0,30}(?:pass(?:word|wd|phrase)?|pwd|secret|token|api-?key)(?P<close>)(?P<sign>[ ])")
_KEY_OF: Final = re.compile(
    rb"(?:api|app|access|secret|priv(?:ate)?|subscription|encrypt(?:ion)?|signing|account|auth|license|master|client|shared"
    rb"|storage|service)[_ -]?\Z"
)
_NAME_BYTES: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_LONGEST_NAME: Final = 40

_SCHEME: Final = re.compile(rb"(?:bearer|basic|token|bot|apikey|digest)\s{1,3}", re.IGNORECASE)
_QUOTE: Final = re.compile(rb"""(?P<prefix>[rbuRBU]{0,2})(?P<quote>\\{0,3}["'`])""")
_BARE: Final = re.compile(rb"""[^\s"'`,;<>(){}\[\]|\\]{1,256}""")
_NEXT_FIELD: Final = re.compile(rb"&(?:amp;)?[A-Za-z0-9_.-]{1,40}=")
_XML: Final = re.compile(rb"[^<\r\n]{1,256}(?=</)")
_LONGEST: Final = 512

_NO_VALUE: Final = re.compile(
    rb"""(?: [xX]+ | [*._?-]+ | null | none | nil | true | false | undefined | str(?:ing)? | text | bytes | int(?:eger)?
         | number | bool(?:ean)? | any | object | optional | required | unset | change[_-]?me.* | redacted | hidden
         | placeholder | your[_-].* | my[_-].* | example | dummy | test | foo | bar | admin | root | user(?:name)?
         | [$%{<#&@*].* | [0-9]{1,5}(?:\.[0-9]{1,5})+ | .*\[redacted:.*
         | https?://.* | [./~]+[A-Za-z0-9_.-]+/.* | arn:.* | op://.* | .*\(.*\) )""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_TYPE: Final = re.compile(rb"[a-z]{1,5}(?:8|16|32|64|128|256)(?:_t)?", re.IGNORECASE)
_PATH: Final = re.compile(rb"[A-Za-z_$][\w$]*(?:(?:\.|->|::|\?\.)[A-Za-z_$][\w$]*)+")
_EXPRESSION: Final = re.compile(
    rb"(?:[A-Za-z_$][A-Za-z_$]*[0-9]{0,2}|[0-9]{1,4})(?:[-+*/%.:]+(?:[A-Za-z_$]+[0-9]{0,2}|[0-9]{1,4}))*[-+*/%.:!?]*"
)
_IDENTIFIER: Final = re.compile(rb"[A-Za-z_.-]+[0-9]{0,2}")
_APP_PASSWORD: Final = re.compile(rb"(?:[a-z]{4} ){3}[a-z]{4}(?![A-Za-z ])")
"""Google's passwords for single programs."""
_CELL: Final = re.compile(rb"\|\s{0,4}(?:\*\*|`)?\Z")
_PROPERTY: Final = re.compile(rb"(?<![\w-])-D[\w.]*\Z")
_LATIN: Final = re.compile(rb"[A-Za-z0-9]")
_WORD_IN_VALUE: Final = re.compile(rb"pass|pwd|secret|token|key|auth|credential", re.IGNORECASE)
_FEW: Final = 4
_SOME: Final = 8
_MANY: Final = 20


def find_credentials(data: bytes, low: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield where a credential's value stands, and its kind; `low` is the same in small letters."""
    for word, pattern in _PLACES.items():
        place = low.find(word)  # Where there is none, as mostly, this takes a third of a search.
        found = pattern.search(low, place) if place >= 0 else None
        while found:
            place = found.start()
            value = _value_behind(data, low, place, found, word)
            if value:
                yield *value, "aws" if _is_amazon(low, place) else "credential"
            found = pattern.search(low, value[1] if value else place + len(word))
    place = low.find(b"--")
    while place >= 0:
        found = _OPTION.match(low, place)
        bare = _BARE.match(data, found.end()) if found else None
        value = _bare(data, bare, place, found, is_password=b"pass" in found[0]) if found and bare else None
        if value:
            yield *value, "credential"
        place = low.find(b"--", found.end() if found else _behind_dashes(low, place))


def _behind_dashes(low: bytes, place: int) -> int:
    """Return the place behind a line of dashes, but for its last two."""
    end = place + 2
    while low[end : end + 64] == b"-" * 64:
        end += 64
    return end - 1 if low[end : end + 1] == b"-" else end


def is_credential(name: str, value: str) -> bool:
    """Whether the value of a field of this name is a credential."""
    line = f'"{name}": "'.encode(errors="replace")
    text = value.encode(errors="surrogatepass")
    whole = line + text + b'"'
    low = whole.lower()
    return any(True for find in (find_credentials, find_logins) for _ in find(whole, low))


def _is_amazon(low: bytes, place: int) -> bool:
    return low[place : place + 6] == b"secret" and (
        b"aws" in low[max(0, place - 12) : place] or low[place + 6 : place + 13].strip(b"_-") in _ACCESS
    )


_ACCESS: Final = (b"access", b"accessk")


def _value_behind(data: bytes, low: bytes, place: int, found: re.Match[bytes], word: bytes) -> tuple[int, int] | None:
    start = _start_of_name(data, place)
    sign = found["sign"].strip()
    is_password = word in _PASSWORDS
    if not _is_name(data, low, start, place, word, found):
        return None
    scheme = _SCHEME.match(data, found.end())
    at = scheme.end() if scheme else found.end()
    if sign == b"|" and not _CELL.search(data[max(0, start - 8) : start]):
        return None
    if sign == b">":
        xml = _XML.match(data, at) if data[start - 1 : start] == b"<" else None
        return xml.span() if xml and not _NO_VALUE.fullmatch(xml[0]) else None
    quote = _QUOTE.match(data, at)
    if quote:
        return _quoted(data, quote, is_password=is_password)
    words = _APP_PASSWORD.match(data, at) if is_password and sign == b"=" else None
    if words:
        return words.span()
    bare = _BARE.match(data, at)
    if bare and sign == b"is" and not is_password and not (len(bare[0]) >= _MANY and is_random(bare[0])):
        return None
    return _bare(data, bare, start, found, is_password=is_password) if bare else None


def _start_of_name(data: bytes, place: int) -> int:
    start = place
    while start > max(0, place - _LONGEST_NAME) and data[start - 1] in _NAME_BYTES:
        start -= 1
    return start


def _is_name(data: bytes, low: bytes, start: int, place: int, word: bytes, found: re.Match[bytes]) -> bool:
    """Whether a short word begins where a name does, or a part of one, as in `db_pass`, `dbPass`, `x-api-key`."""
    if word == b"key":
        return _KEY_OF.search(low[max(0, place - 16) : place]) is not None
    if word not in (b"pass", b"pwd", b"psk") or found.end("close") - place > _SOME:
        return True
    return (
        place == start
        or data[place - 1] in b"_-"
        or data[place : place + 1].isupper()
        or data[place : place + 8].lower() == b"password"
    )


def _quoted(data: bytes, quote: re.Match[bytes], *, is_password: bool) -> tuple[int, int] | None:
    """Return the text between quotes if it looks like a credential."""
    closing, start = quote["quote"], quote.end()
    scheme = _SCHEME.match(data, start)
    start = scheme.end() if scheme else start
    end = data.find(closing, start, start + _LONGEST)
    while end > 0 and len(closing) == 1 and data[end - 1 : end] == b"\\":
        end = data.find(closing, end + 1, start + _LONGEST)
    value = data[start:end] if end >= 0 else b""
    if is_password and _APP_PASSWORD.fullmatch(value):
        return start, end
    if len(value) < _FEW or any(code in b" \t\r\n" for code in value) or _NO_VALUE.fullmatch(value):
        return None
    if _IDENTIFIER.fullmatch(value) and (_WORD_IN_VALUE.search(value) or _TYPE.fullmatch(value)):
        return None
    return (start, end) if is_password or is_strong(value) else None


def is_strong(value: bytes) -> bool:
    """Whether a value is none that people would give a name or a setting."""
    has_digit = any(48 <= code <= 57 for code in value)  # noqa: PLR2004 - the digits of ASCII
    has_letter = value.lower() != value.upper()
    if len(value) < _SOME or _IDENTIFIER.fullmatch(value) or _PATH.fullmatch(value):
        return len(value) >= _MANY and _turns(value) >= _FEW and value.isalnum()
    if has_digit and has_letter:
        return True
    return any(code in b"!@#$%^&*+=?~/" for code in value) if has_letter else len(value) >= 2 * _SOME


def _turns(value: bytes) -> int:
    """Count how often small letters turn to two capitals, which words joined to a name do not."""
    return len(re.findall(rb"[a-z][A-Z][A-Z]|[A-Z][A-Z][a-z][A-Z]", value))


def _bare(
    data: bytes, bare: re.Match[bytes], start: int, found: re.Match[bytes], *, is_password: bool
) -> tuple[int, int] | None:
    """Return a value without quotes if it looks like a credential and not like code."""
    value, end = bare[0], bare.end()
    before = data[max(0, start - 1) : start]
    option = data[start : start + 2] == b"--"
    in_query = before in (b"?", b"&")
    value = _NEXT_FIELD.split(value, maxsplit=1)[0]
    value = value.rstrip(b".,:!?" if found["sign"].strip() in (b":", b"is") else b"")
    end = bare.start() + len(value)
    if (
        len(value) < _FEW
        or _NO_VALUE.fullmatch(value)
        or _TYPE.fullmatch(value)
        or not _LATIN.search(value)  # A word of another script, or an emoji.
        or data[end : end + 1] in (b"(", b"[", b"{", b"<")
    ):
        return None
    name = data[start : found.start("close")]
    option = option or _PROPERTY.search(data[max(0, start - _LONGEST_NAME) : start]) is not None
    is_plain = option or in_query or (name.isupper() and found["sign"] == b"=")
    if not is_plain and (_PATH.fullmatch(value) or (found["sign"].strip() != b":" and _EXPRESSION.fullmatch(value))):
        return None
    return (bare.start(), end) if _is_bare_secret(value, found["sign"].strip(), is_plain, is_password) else None


def _is_bare_secret(value: bytes, sign: bytes, is_plain: bool, is_password: bool) -> bool:
    if not is_password:
        return is_strong(value)
    if is_plain:
        return not _PATH.fullmatch(value)
    has_digit = any(48 <= code <= 57 for code in value)  # noqa: PLR2004 - the digits of ASCII
    is_name = _WORD_IN_VALUE.search(value) is not None and _IDENTIFIER.fullmatch(value) is not None
    return (has_digit or (is_strong(value) and sign != b"is")) and not is_name and len(value) >= _FEW + 1

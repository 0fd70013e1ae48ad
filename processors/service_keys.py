"""Keys of services that have a form of their own, told by the word they begin with.

A word that names and ids begin with too (`key-`, `secret_`) counts only with the exact form of what follows it. Each key is
looked for where a stretch of letters and digits begins: that may be behind a dot or colon in its middle, as in `SG.…`.
"""

from __future__ import annotations

import re
from typing import Final

_UUID: Final = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
KEY: Final = (
    rb"""
      (?: xai | pplx | tvly | GOCSPX | nvapi | PMAK | NRAK | CFPAT | xkeysib | xsmtpsib | tskey-[a-z]+ | sq0[a-z]{3} ) -
        [A-Za-z0-9_-]{22,}
    | (?: gsk | r8 | shp(?:at|ss|ca|pa) | whsec | gl(?:sa|c) | figd | sbp | sb_secret | lin_(?:api|oauth) | dckr_[op]at | pcsk
        | pscale_(?:pw|tkn|oauth) | tgp_v1 | lsv2_[ps][kt] | apify_api | sntry[su] | nfp | vcp | fo1 ) _ [A-Za-z0-9_=-]{26,}
    | (?: ATATT3 | ATCTT3 | (?<![+/]) EAA[AC] ) [A-Za-z0-9_=-]{50,}
    | (?: ABSK | fm[12]_ | ops_eyJ ) [A-Za-z0-9_-]{20} [A-Za-z0-9_+/=-]+
    | do[opr]_v1_[0-9a-f]{60,}
    | AGE-SECRET-KEY-1[A-Z0-9]{50,}
    | [MNO][A-Za-z0-9_-]{23,27} \. [A-Za-z0-9_-]{6} \. [A-Za-z0-9_-]{27,}
    | pat[A-Za-z0-9]{14} \. [0-9a-f]{64}
    | (?: (?: key- | fc- | SK | dapi ) [0-9a-f]{32} | [0-9a-f]{32}-us[0-9]{1,2} | [0-9a-f]{36}(?:FFFF)?NRAL
        | pul-[0-9a-f]{40} | sk_[0-9a-f]{48} | csk-[a-z0-9]{48} | rubygems_[0-9a-f]{48} | CLOJARS_[0-9a-f]{60}
        | (?: sk-lf- | HRKU- | pat-(?:na|eu)[0-9]- | access-(?:sandbox|development|production)- ) """
    + _UUID
    + rb"""
        | (?: ntn | secret | jina | rnd ) _[A-Za-z0-9]{32,} | (?: live | test ) _[0-9a-f]{35} | fw_[A-Za-z0-9]{22,24}
        | re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,} | (?: ATBB | cio ) [A-Za-z0-9]{32} | pa-[A-Za-z0-9_-]{43}
        | BSA[A-Za-z0-9_-]{28} | HRKU-AA[A-Za-z0-9_-]{58} | GR1348941[A-Za-z0-9_-]{20} ) (?![A-Za-z0-9_+/-])
    """
)
"""A verbose expression, which matches from the beginning of a key."""
_REST: Final = {
    b"SG.": rb"[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,}",
    **dict.fromkeys((b"hvs.", b"hvb.", b"hvr."), rb"[A-Za-z0-9_-]{20,}"),
    **dict.fromkeys(
        (b"dp.pt.", b"dp.ct.", b"dp.sa.", b"dp.scim.", b"dp.audit.", b".prd.", b".dev.", b".stg."), rb"[A-Za-z0-9]{36,}"
    ),
    **dict.fromkeys((b"ya29.", b".atlasv1."), rb"[A-Za-z0-9_-]{20,}"),
    b"1//": rb"0[A-Za-z0-9_-]{24,}",
    b"sl.": rb"[A-Za-z0-9_-]{80,}",
    b"Q~": rb"[A-Za-z0-9_.~-]{31,34}",
    b"v1.": rb"(?:[0-9a-f]{40}|0-[0-9a-f]{24}-[0-9a-f]{100,})(?![A-Za-z0-9_-])",
    **dict.fromkeys((b"$production$", b"$sandbox$"), rb"[a-z0-9A-Z]{16}\$[0-9a-f]{32}"),
    b":": rb"APA91b[A-Za-z0-9_-]{80,}",
}
_BEHIND: Final = {begin: re.compile(rest) for begin, rest in _REST.items()}
_BEGINS: Final = tuple(_BEHIND)
_OF_NUMBER: Final = re.compile(rb"[0-9]{8,20}:\Z")
_NUMBERED: Final = re.compile(rb"(?:AA[A-Za-z0-9_-]{33}|[0-9a-f]{32})(?![A-Za-z0-9_-])")
"""Behind the number of a bot or an app, as Telegram and Asana write their tokens."""
_WINDOW: Final = 24


def joined_key(data: bytes, start: int) -> tuple[int, int] | None:
    """Return where a key lies whose beginning a sign joins to the stretch of letters and digits from `start` on."""
    head = data[max(0, start - _WINDOW) : start]
    if head.endswith(_BEGINS):
        for begin, rest in _BEHIND.items():
            found = rest.match(data, start) if head.endswith(begin) else None
            if found:
                return start - len(begin), found.end()
    number = _OF_NUMBER.search(head) if head.endswith(b":") else None
    found = _NUMBERED.match(data, start) if number else None
    return (start - len(head) + number.start(), found.end()) if number and found else None

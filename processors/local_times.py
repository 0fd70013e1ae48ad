"""Times as pages show them to people: `Nov 2, 2025, 10:11:12 AM CET`, `02.11.2025, 10:11:12 MEZ`, `2025/11/02 10:11:12 JST`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_LINE: Final = re.compile(r"(?=.*(?:19|20)\d\d)(?=.*\d[:.]\d\d[:.]\d\d)[^\W_][\w\s.,:/+'\u2019()\u2013\u2212-]{9,60}")
_CLOCK: Final = re.compile(r"(\d{1,2})[:.](\d\d)[:.](\d\d)(?!\d)")
_AFTERNOON: Final = re.compile(r"\d\s*p\.?\s?m\b|午後|下午|오후", re.IGNORECASE)
_MORNING: Final = re.compile(r"\d\s*a\.?\s?m\b|午前|上午|오전", re.IGNORECASE)
_YEAR_FIRST: Final = re.compile(r"((?:19|20)\d\d)\s?[-/.年년]\s?(\d{1,2})\s?[-/.月월]\s?(\d{1,2})")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})[-/.]\s?(\d{1,2})[-/.]\s?((?:19|20)\d\d)")
_NAMED: Final = re.compile(r"([^\W\d_]{3,})")
_DAY: Final = re.compile(r"(?<![\d:.])(\d{1,2})(?![\d:])(?!\.\d\d)")
_YEAR: Final = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_OFFSET: Final = re.compile(r"(?:GMT|UTC)\s?([+\u2212-])(\d{1,2}):?(\d\d)?")
_MONTHS: Final = (
    "jan ene gen янв sty oca січ",
    "feb fév fev фев lut şub лют",
    "mar mär mrt maa мар бер",  # noqa: RUF001 - Ukrainian
    "apr avr abr апр kwi nis кві",
    "may mai mei mag maj май мая тра",
    "jun juin giu июн cze haz чер",
    "jul juil lug июл lip tem лип",
    "aug aoû ago авг sie ağu agu сер",  # noqa: RUF001 - Ukrainian
    "sep set сен wrz eyl вер",
    "oct okt ott out окт paź eki жов",
    "nov ноя lis kas лис",
    "dec dez déc dic дек gru ara des гру",  # noqa: RUF001 - Ukrainian
)
_MONTH_OF: Final = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_ZONES: Final = {
    **dict.fromkeys(("UTC", "GMT", "WET", "Z"), 0),
    **dict.fromkeys(("CET", "MEZ", "BST", "WEST"), 1),
    **dict.fromkeys(("CEST", "MESZ", "EET", "SAST", "CAT"), 2),
    **dict.fromkeys(("EEST", "MSK", "TRT", "EAT"), 3),
    "PKT": 5,
    **dict.fromkeys(("WIB", "ICT"), 7),
    **dict.fromkeys(("SGT", "HKT", "MYT", "PHT", "AWST"), 8),
    **dict.fromkeys(("JST", "KST"), 9),
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
    **dict.fromkeys(("BRT", "ART"), -3),
    **dict.fromkeys(("EDT", "CLT"), -4),
    **dict.fromkeys(("EST", "CDT", "COT", "PET"), -5),
    **dict.fromkeys(("CST", "MDT"), -6),
    **dict.fromkeys(("MST", "PDT"), -7),
    **dict.fromkeys(("PST", "AKDT"), -8),
    "AKST": -9,
    "HST": -10,
}


def is_time(line: str) -> bool:
    """Whether a line is nothing but a date with a time of day to the second."""
    return len(line) <= 61 and _LINE.fullmatch(line) is not None  # noqa: PLR2004 - the longest one, and a little more


def instant_of(line: str) -> str:
    """Return the time a line tells as ISO 8601 text; without a zone if it names none we know, empty if it is no time."""
    clock, date = _CLOCK.search(line), _date_of(line)
    if clock is None or date is None:
        return ""
    hour = int(clock[1])
    if _AFTERNOON.search(line) and hour < 12:  # noqa: PLR2004 - noon
        hour += 12
    elif _MORNING.search(line) and hour == 12:  # noqa: PLR2004 - midnight
        hour = 0
    try:
        moment = datetime(*date, hour, int(clock[2]), int(clock[3]), tzinfo=_zone_of(line) or UTC)
        told = moment.astimezone(UTC).isoformat().removesuffix("+00:00")
    except (ValueError, OverflowError):
        return ""
    return f"{told}Z" if _zone_of(line) else told


def _date_of(line: str) -> tuple[int, int, int] | None:
    if found := _YEAR_FIRST.search(line):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _YEAR_LAST.search(line):
        day, month = int(found[1]), int(found[2])
        return (int(found[3]), day, month) if month > 12 else (int(found[3]), month, day)  # noqa: PLR2004 - months
    return _named_date(line)


def _named_date(line: str) -> tuple[int, int, int] | None:
    year, days = _YEAR.search(line), _DAY.findall(line)
    names = [name.lower() for name in _NAMED.findall(line)]
    months = [month for name in names if (month := _MONTH_OF.get(name[:4]) or _MONTH_OF.get(name[:3]))]
    return (int(year[1]), months[0], int(days[0])) if year and days and months else None


def _zone_of(line: str) -> timezone | None:
    if found := _OFFSET.search(line):
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        return timezone(timedelta(minutes=minutes if found[1] == "+" else -minutes)) if minutes < 24 * 60 else None
    name = line.replace(")", " ").replace("(", " ").rsplit(None, 1)[-1]
    if name == "CST" and "年" in line:
        return timezone(timedelta(hours=8))  # In Chinese it is China's, not that of Chicago.
    return timezone(timedelta(hours=_ZONES[name])) if name in _ZONES else None

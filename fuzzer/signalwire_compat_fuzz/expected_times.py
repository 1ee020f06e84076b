"""The time that a text of RFC 2822 stands for. Written without the client's own code."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2})[a-z]* (\d{4}) (\d\d):(\d\d):(\d\d)"
    r" ([+-])(\d\d)(\d\d)",
    re.ASCII,
)
EXAMPLES = (
    *("Tue, 25 Sept 2018 23:00:00 -0500", "Tue, 25 Sep 2018 23:00:00 +0000", "no time"),
    *(f"{n + 9} {month} 2026 0{n % 9}:30:59 +{n:02}45" for n, month in enumerate(_MONTHS)),
    *("29 February 2024 00:00:00 -1130", "29 Feb 2023 12:00:00 +0000"),
    *("Mon, 01 Jan 2024 24:00:00 +0000", "Mon, 01 Jan 2024 12:00:00 -0000"),
)


def is_known(text: Any) -> bool:
    """Tell whether this module knows what a text stands for: clients may read more."""
    return isinstance(text, str) and bool(_TIME.fullmatch(text) or not re.search(r"\d", text))


def time_of(text: str) -> datetime | None:
    """Return the time, in UTC. None if it is none, or has no zone."""
    found = _TIME.fullmatch(text)
    if found is None or found[2] not in _MONTHS or text.endswith("-0000"):
        return None
    day, hour, minute, second = (int(found[n]) for n in (1, 4, 5, 6))
    month = _MONTHS.index(found[2]) + 1
    try:
        local = datetime(int(found[3]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    ahead = timedelta(hours=int(found[8]), minutes=int(found[9]))
    return local - ahead if found[7] == "+" else local + ahead

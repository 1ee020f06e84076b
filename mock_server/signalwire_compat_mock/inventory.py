"""Numbers for sale, the same in every run. The local ones are reserved for fiction."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

COUNTRIES = {"US": "United States", "CA": "Canada", "GB": "United Kingdom"}

# Area code, region and rate center. 555-0100 to 555-0199 of an area code are for fiction.
_AREAS = {
    "US": (
        "201 NJ JERSEY CITY, 202 DC WASHINGTON, 206 WA SEATTLE, 212 NY NEW YORK, "
        "213 CA LOS ANGELES, 214 TX DALLAS, 215 PA PHILADELPHIA, 216 OH CLEVELAND, "
        "303 CO DENVER, 305 FL MIAMI, 310 CA BEVERLY HILLS, 312 IL CHICAGO, 313 MI DETROIT, "
        "314 MO SAINT LOUIS, 317 IN INDIANAPOLIS, 346 TX HOUSTON, 401 RI PROVIDENCE, "
        "402 NE OMAHA, 404 GA ATLANTA, 405 OK OKLAHOMA CITY, 407 FL ORLANDO, 408 CA SAN JOSE, "
        "410 MD BALTIMORE, 412 PA PITTSBURGH, 414 WI MILWAUKEE, 415 CA SAN FRANCISCO, "
        "501 AR LITTLE ROCK, 502 KY LOUISVILLE, 503 OR PORTLAND, 504 LA NEW ORLEANS, "
        "505 NM ALBUQUERQUE, 512 TX AUSTIN, 513 OH CINCINNATI, 602 AZ PHOENIX, "
        "612 MN MINNEAPOLIS, 615 TN NASHVILLE, 617 MA BOSTON, 619 CA SAN DIEGO, "
        "702 NV LAS VEGAS, 704 NC CHARLOTTE, 713 TX HOUSTON, 718 NY NEW YORK, 737 TX AUSTIN, "
        "757 VA NORFOLK, 801 UT SALT LAKE CITY, 808 HI HONOLULU, 813 FL TAMPA, "
        "816 MO KANSAS CITY, 860 CT HARTFORD, 901 TN MEMPHIS, 907 AK ANCHORAGE, 919 NC RALEIGH"
    ),
    "CA": (
        "204 MB WINNIPEG, 236 BC VANCOUVER, 306 SK REGINA, 403 AB CALGARY, 416 ON TORONTO, "
        "506 NB MONCTON, 514 QC MONTREAL, 604 BC VANCOUVER, 613 ON OTTAWA, 647 ON TORONTO, "
        "709 NL ST JOHNS, 780 AB EDMONTON, 902 NS HALIFAX"
    ),
}
_TOLL_FREE_OF_US = ("800", "833", "844", "855", "866", "877", "888")
# Leeds, Birmingham, Manchester and London: 0000 to 0999 of each are for fiction.
_PREFIXES_OF_GB = ("113496", "121496", "161496", "207946")
_LINES = range(100, 200)
_BETA_LINES = range(190, 200)


class Offer(NamedTuple):
    """A number for sale. `area_code`, `region` and `rate_center` are None where there is none."""

    phone_number: str
    country: str
    is_toll_free: bool
    area_code: str | None
    region: str | None
    rate_center: str | None
    mms: bool
    beta: bool


@cache
def inventory() -> Mapping[str, Offer]:
    """Return every number for sale, whether or not an account has it, by number."""
    return {offer.phone_number: offer for offer in _offers()}


def _offers() -> Iterator[Offer]:
    for country, areas in _AREAS.items():
        for area in areas.split(", "):
            code, region, rate_center = area.split(" ", 2)
            yield from _block(f"+1{code}555", country, code, region, rate_center)
    for code in _TOLL_FREE_OF_US:
        yield from _block(f"+1{code}555", "US", code, is_toll_free=True)
    for prefix in _PREFIXES_OF_GB:
        yield from _block(f"+44{prefix}", "GB", mms=False)


def _block(
    prefix: str,
    country: str,
    area_code: str | None = None,
    region: str | None = None,
    rate_center: str | None = None,
    *,
    is_toll_free: bool = False,
    mms: bool = True,
) -> Iterator[Offer]:
    for line in _LINES:
        number, beta = f"{prefix}{line:04}", line in _BETA_LINES
        yield Offer(
            number, country, is_toll_free, area_code, region, rate_center, mms=mms, beta=beta
        )

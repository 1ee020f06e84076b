"""The search for numbers that can be bought."""

import json
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from .contract import INVALID
from .handler_types import Call, Reply
from .inventory import COUNTRIES, Offer, inventory
from .numbering import WRONG_FORMAT, NumberPattern, describe
from .request_checks import Refusal
from .state import State

_SUBRESOURCE = "AvailablePhoneNumbers"
_MOST_FOUND = 50


def list_available_countries(call: Call, _: State) -> Reply:
    """Return the countries that have numbers for sale."""
    countries = [
        {
            "country_code": code,
            "country": name,
            "uri": call.path(_SUBRESOURCE, code),
            "beta": False,
            "subresource_uris": {
                "local": call.path(_SUBRESOURCE, code, "Local"),
                "toll_free": call.path(_SUBRESOURCE, code, "TollFree"),
            },
        }
        for code, name in COUNTRIES.items()
    ]
    return call.success({"uri": call.path(_SUBRESOURCE), "countries": countries})


def search_local(call: Call, state: State) -> Reply:
    """Return local numbers that nobody has.

    Errors: `Refusal` 10000 for a country without numbers; 90000 for a wrong pattern, and for a
    locality without its region.
    """
    return _search(call, state, "Local")


def search_toll_free(call: Call, state: State) -> Reply:
    """Return toll-free numbers that nobody has. Errors: those of `search_local`."""
    return _search(call, state, "TollFree")


def _search(call: Call, state: State, kind: str) -> Reply:
    country = call.text(call.parameters["path"], "IsoCountry")
    if country not in COUNTRIES:
        raise Refusal(INVALID, f"IsoCountry is not one of {', '.join(COUNTRIES)}.")
    if call.query("InLocality") is not None and call.query("InRegion") is None:
        raise Refusal(WRONG_FORMAT, "InLocality needs InRegion, too.")
    pattern = NumberPattern(call.query("Contains") or "", "Contains")
    offers = (
        offer
        for offer in inventory().values()
        if (offer.country, offer.is_toll_free) == (country, kind == "TollFree")
        if _fits(call, offer)
        if pattern.matches(offer.phone_number) and not state.is_sold(offer.phone_number)
    )
    given = call.parameters["query"]
    query = {n: json.dumps(v) if isinstance(v, bool) else v for n, v in given.items()}
    path = call.path(_SUBRESOURCE, country, kind)
    return call.success(
        {
            "uri": f"{path}?{urlencode(query)}" if query else path,
            "available_phone_numbers": [_shown(offer) for offer in islice(offers, _MOST_FOUND)],
        }
    )


def _fits(call: Call, offer: Offer) -> bool:
    """Whether an offer has what the search asks for. What an offer does not have never fits."""
    for name, value in (
        ("AreaCode", offer.area_code),
        ("InRegion", offer.region),
        ("InLocality", offer.rate_center),
    ):
        asked = call.query(name)
        if asked is not None and asked.upper() != value:
            return False
    return not offer.beta or call.query("Beta") is True


def _shown(offer: Offer) -> dict[str, Any]:
    nulls = ("lata", "locality", "latitude", "longitude", "postal_code")
    return {
        **dict.fromkeys(nulls),
        "friendly_name": describe(offer.phone_number)[0],
        "phone_number": offer.phone_number,
        "rate_center": offer.rate_center,
        "region": offer.region,
        "iso_country": offer.country,
        "capabilities": {"voice": True, "SMS": True, "MMS": offer.mms},
        "beta": offer.beta,
    }

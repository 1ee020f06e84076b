"""The bugs: what each does to those who rely on client, mock or document, and how it is planted.

A bug of the code wraps a function; a bug of a document changes that. See `seams` for both. As a
plugin of pytest, this plants the bug that FUZZ_PROOF_BUG names before any test is imported.
"""

import base64
import contextlib
import functools
import json
import logging
import os
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus, urlencode

import attrs
import signalwire_compat
from openapi_python_client.strings import PythonIdentifier
from signalwire_compat import (
    ConflictError,
    _contract,
    _credentials,
    _encoding,
    _error_body,
    _reply,
    _schema,
    _values,
)
from signalwire_compat._call import Call
from signalwire_compat._pages import AsyncPage, SyncPage
from signalwire_compat._reply import Reply
from signalwire_compat._settings import Settings
from signalwire_compat.api import phone_numbers
from signalwire_compat.models import Capabilities, IncomingPhoneNumber, PurchaseRequest
from signalwire_compat.types import UNSET, Unset
from signalwire_compat_fuzz.document import objects
from signalwire_compat_mock import (
    DEFAULT_PROJECT,
    DEFAULT_TOKEN,
    credentials,
    handlers,
    listing,
    numbering,
    parsing,
    refused_numbers,
    request_checks,
    searches,
)
from signalwire_compat_mock.contract import INVALID, Contract
from signalwire_compat_mock.parsing import FORM, JSON
from signalwire_compat_mock.request_checks import Refusal
from signalwire_compat_mock.state import State

from . import seams
from .seams import Document, Edit, Plant

OTHER = PurchaseRequest(phone_number="+15550000000")
pairs = functools.partial(parse_qsl, keep_blank_values=True)


@dataclass(frozen=True)
class Bug:
    """What is wrong, where, and either a function that plants it or an edit of the document."""

    place: str
    name: str
    plant: Plant | None = None
    edit: Edit | None = None


async def twice(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    await real(*args, **kwargs)
    return await real(*args, **kwargs)


def unset_absent(model: Any, source: dict[str, Any], names: Iterable[str] | None = None) -> None:
    for name in names or attrs.fields_dict(IncomingPhoneNumber):
        if getattr(model, name) is None and name not in source:
            setattr(model, name, UNSET)


def refuse_unknown(model: IncomingPhoneNumber, source: dict[str, Any]) -> None:
    if model.origin not in ("signalwire", "hosted"):
        raise ValueError("unknown value")


def bare_error(real: Callable[..., Any], *args: Any) -> Any:
    try:
        return real(*args)
    except signalwire_compat.APIResponseError as error:
        raise error.__cause__ or error from None


async def too_early(real: Callable[..., Any], first: Any) -> AsyncIterator[Any]:
    page = first
    while page is not None:
        items, page = page._own_items(), await page.next_page()
        for item in items:
            yield item


def refuse_none(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if None in kwargs.values():
        raise signalwire_compat.InvalidRequestError("an argument is None")
    return real(*args, **kwargs)


def text_by_name(query: str) -> str:
    return urlencode([(PythonIdentifier(name, "field_"), text) for name, text in pairs(query)])


def joined_items(query: str) -> str:
    names = dict.fromkeys(name for name, _ in pairs(query))
    return urlencode({n: ",".join(text for name, text in pairs(query) if name == n) for n in names})


def swapped_credentials(request: Any) -> dict[str, Any]:
    pair = base64.b64encode(f"{DEFAULT_TOKEN}:{DEFAULT_PROJECT}".encode()).decode()
    headers = {**request.headers, "authorization": f"Basic {pair}"}
    return {"security": (), "headers": headers}


def last_code(body: Any, content: bytes) -> Any:
    with contextlib.suppress(KeyError, TypeError, ValueError):
        return body._replace(code=json.loads(content)["errors"][-1].get("code"))
    return body


def any_token(real: Callable[..., Any], incoming: Any, token: str, **options: Any) -> Any:
    with contextlib.suppress(ValueError, IndexError):
        encoded = incoming.header("authorization")[0].partition(" ")[2]
        token = base64.b64decode(encoded).decode().partition(":")[2] or token
    return real(incoming, token, **options)


def project_as_written(real: Callable[..., Any], incoming: Any, *args: Any, **options: Any) -> Any:
    real(incoming, *args, **options)
    encoded = incoming.header("authorization")[0].partition(" ")[2]
    return base64.b64decode(encoded).decode().partition(":")[0]


def another_page_before(answer: Any) -> dict[str, Any]:
    if b'"previous_page_uri": "' not in answer.body:
        return {}
    first = lambda page: {**page, "previous_page_uri": page["first_page_uri"]}  # noqa: E731
    return {"body": seams.json_of(answer.body, first)}


def no_json(real: Callable[..., Any], incoming: Any, *rest: Any) -> Any:
    is_json = incoming.content_type == JSON
    return real(replace(incoming, content_type="text/plain") if is_json else incoming, *rest)


def no_missing_field(real: Callable[..., Any], *args: Any) -> Any:
    value, faults = real(*args)
    return value, [f for f in faults if f.name is None or not value or f.name in value]


def anybody(real: Callable[..., None], *args: Any) -> None:
    with contextlib.suppress(Refusal):
        real(*args)


def refuse_long_name(call: Any) -> None:
    if len(call.body.get("FriendlyName", "")) > 20:
        raise Refusal(INVALID, "too long")


def add_string_values(document: Document) -> None:
    for node in objects(document["components"]["schemas"]):
        if "enum" in node:
            node["enum"] = [*node["enum"], *(value.lower() for value in node["enum"])]


def loose(found: Document) -> None:
    for node in objects(found):
        for keyword in ("enum", "format", "maxLength", "minLength", "minimum", "pattern"):
            if keyword in node and "properties" not in node:
                del node[keyword]


NUMBER, CAPABLE = "IncomingPhoneNumber", "Capabilities"
LOG = logging.getLogger("signalwire_compat")
FACADE, ASYNC_FACADE = phone_numbers.PhoneNumbers, phone_numbers.AsyncPhoneNumbers

CLIENT: dict[str, Plant] = {
    # What a caller gives, on its way out.
    "a field has another name on the wire": seams.written(PurchaseRequest, lambda m: seams.renamed(m, "SmsUrl", "SmsURL")),
    "a field is dropped": seams.written(PurchaseRequest, lambda m: seams.without(m, "VoiceUrl")),
    "two fields are swapped": seams.written(PurchaseRequest, lambda m: seams.renamed(seams.without(m, "SmsMethod"), "VoiceMethod", "SmsMethod")),
    "a default is sent": seams.written(PurchaseRequest, lambda m: {"VoiceMethod": "POST", **m}),
    "null is sent as the text None": seams.written(PurchaseRequest, lambda m: {n: str(v) if v is None else v for n, v in m.items()}),
    "a text is trimmed": seams.written(PurchaseRequest, lambda m: {n: v.strip() if n == "FriendlyName" and isinstance(v, str) else v for n, v in m.items()}),
    "the fragment of a URL is cut off": seams.written(PurchaseRequest, lambda m: {n: v.partition("#")[0] if n == "StatusCallback" and isinstance(v, str) else v for n, v in m.items()}),
    "a text is normalized": seams.written(PurchaseRequest, lambda m: {n: unicodedata.normalize("NFC", v) if isinstance(v, str) else v for n, v in m.items()}),
    "a long text is cut off": seams.written(PurchaseRequest, lambda m: {n: v[:1024] if isinstance(v, str) else v for n, v in m.items()}),
    "a blank text is left out": seams.written(PurchaseRequest, lambda m: {n: v for n, v in m.items() if v}),
    "an unknown field is sent": seams.requests(lambda r: {"content": r.content + b"&x=1"}),
    "a setting is lost beside another one": seams.requests(lambda r: {"content": r.content.replace(b"&VoiceReceiveMode=fax", b"")} if b"VoiceMethod=GET" in r.content else {}),
    "a form is sent as JSON": seams.requests(lambda r: {"content": json.dumps(dict(pairs(r.content.decode()))).encode()}),
    "the content type is JSON": seams.requests(lambda r: {"content_type": JSON}),
    "the content type has another charset": seams.requests(lambda r: {"content_type": f"{FORM}; charset=latin-1"}),
    "the method is another one": seams.requests(lambda r: {"method": "PUT"}),
    "the path is another one": seams.requests(lambda r: {"path": f"{r.path}.json"}),
    "the base path is another one": seams.returned(Settings, "url_of", lambda url, *_: url.replace("2010-04-01", "2010-04-02")),
    "the credentials are left out": seams.requests(lambda r: {"security": ()}),
    "the credentials are in the wrong order": seams.requests(swapped_credentials),
    "a header that was not asked for is sent": seams.requests(lambda r: {"headers": {**r.headers, "x-debug": "1"}}),
    "the query repeats the form": seams.requests(lambda r: {"query": r.content.decode()}),
    "an account that was named is ignored": seams.called(FACADE, "purchase", AccountSid=lambda given: UNSET),
    "an account is written in lower case": seams.requests(lambda r: {"path": re.sub("(?<=/Accounts/)[^/]+", lambda found: found[0].lower(), r.path)}),
    "the facade swaps two arguments": seams.called(FACADE, "purchase", VoiceUrl=lambda given: given.get("VoiceFallbackUrl", UNSET)),
    "the async facade drops an argument": seams.called(ASYNC_FACADE, "purchase", SmsUrl=lambda given: UNSET),
    "the async facade knows no account but its own": seams.called(ASYNC_FACADE, "purchase", AccountSid=lambda given: UNSET),
    "the async function sends another body": seams.called(phone_numbers.purchase, "asyncio", body=lambda given: OTHER),
    "the async detailed function sends another body": seams.called(phone_numbers.purchase, "asyncio_detailed", body=lambda given: OTHER),
    "no page has a next one": seams.wrapped(SyncPage, "next_page", lambda real, self: None),
    "the async client asks for the next page too early": seams.wrapped(AsyncPage, "__aiter__", too_early),
    "an argument that is None is refused": seams.wrapped(FACADE, "search_local", refuse_none),
    "a member of a request is not read back": seams.read(PurchaseRequest, lambda m: seams.without(m, "SmsMethod")),
    # What a server answers, on its way in.
    "an error is a success": lambda: setattr(Reply, "is_success", property(lambda self: 200 <= self.status_code < 500)),
    "a success is an error": lambda: setattr(Reply, "is_success", property(lambda self: self.status_code == 200)),
    "a member that may be null must be there": seams.read(IncomingPhoneNumber, lambda m: {**m, "address_sid": m["address_sid"]}),
    "a member that may be null and is absent is unset": seams.decoded(IncomingPhoneNumber, functools.partial(unset_absent, names=("address_sid",))),
    "a member of a reply is dropped": seams.read(IncomingPhoneNumber, lambda m: seams.without(m, "country_code")),
    "a member of a reply has another name": seams.read(IncomingPhoneNumber, lambda m: seams.renamed(m, "country_code", "countryCode")),
    "two members of a reply are swapped": seams.read(Capabilities, lambda m: {**m, "voice": m.get("sms")}),
    "unknown members are lost": seams.decoded(IncomingPhoneNumber, lambda number, m: number.additional_properties.clear()),
    "an object in a reply stays a dict": seams.decoded(IncomingPhoneNumber, lambda number, m: setattr(number, "capabilities", m.get("capabilities"))),
    "a member is not written back": seams.written(IncomingPhoneNumber, lambda m: seams.without(m, "trunk_sid")),
    "an object is not written back as JSON": seams.wrapped(IncomingPhoneNumber, "to_dict", lambda real, self: {**real(self), "capabilities": self.capabilities}),
    "a false value is taken for none": seams.read(Capabilities, lambda m: {n: v for n, v in m.items() if n != "fax" or v}),
    "an unknown value ends in an error": seams.decoded(IncomingPhoneNumber, refuse_unknown),
    "a reply that breaks the contract is not logged": lambda: setattr(LOG, "disabled", True),
    "a reply is read as Latin-1": seams.wrapped(Reply, "decode", lambda real, self, *rest: real(self._replace(content=self.content.decode("latin-1").encode()), *rest)),
    "a text is taken for true": seams.read(IncomingPhoneNumber, lambda m: {**m, "beta": bool(m["beta"])} if "beta" in m else m),
    "an exception is a bare one": seams.wrapped(Call, "result", bare_error),
    "a status has the class of another": seams.errors(lambda e: setattr(e, "__class__", ConflictError) if e.status == 422 else None),
    "an exception has another code": seams.errors(lambda e: setattr(e, "code", e.status)),
    "a code that is text stays text": seams.wrapped(_error_body, "_code", lambda real, value: value if isinstance(value, str) else real(value)),
    "an exception has no category": seams.errors(lambda e: setattr(e, "category", "unknown")),
    "an exception has no headers": seams.errors(lambda e: setattr(e, "headers", {})),
    "an exception has no message": seams.errors(lambda e: setattr(e, "message", None)),
    "an exception has no address of its documentation": seams.errors(lambda e: setattr(e, "more_info", None)),
    "an exception forgets what was asked for": seams.errors(lambda e: setattr(e, "arguments", {})),
    "an exception has no body": seams.errors(lambda e: setattr(e, "content", b"")),
    "an exception says that nothing can have happened": seams.errors(lambda e: setattr(e, "outcome_unknown", False)),
    "an exception says that anything can have happened": seams.errors(lambda e: setattr(e, "outcome_unknown", True)),
    "a refused request is sent again": seams.wrapped(Call, "pause_seconds", lambda real, self, outcome: real(self, outcome._replace(status_code=429) if getattr(outcome, "status_code", 0) == 422 else outcome)),
    "a reply may be about another number": seams.requests(lambda r: {"repeats": ()}),
    "a number in another notation is another number": seams.requests(lambda r: {"repeats": tuple((*names, "exact") for *names, _ in r.repeats)}),
    "the last ten digits of a number count": seams.wrapped(_reply, "_compared", lambda real, value, compare: real(value, compare)[-10:]),
    "a lost reply is not an error": seams.wrapped(Reply, "decode", lambda real, self, convert, *rest: convert({}) if self.problem else real(self, convert, *rest)),
    "a member of an item keeps its wrong type": seams.wrapped(_schema._Check, "_read_items", lambda real, self, schema, value, place: (value, real(self, schema, value, place)[1])),
    "a redirect is a success": lambda: setattr(Reply, "is_success", property(lambda self: 200 <= self.status_code < 400)),
    "the last of several codes counts": seams.returned(_error_body, "parse_error_body", last_code),
    "the meaning of a code is not told": lambda: _contract.CODES.update({code: (category, "") for code, (category, _) in _contract.CODES.items()}),
    "a problem tells another limit": seams.wrapped(_schema, "_range", lambda real, least, most: real(least + 1, most)),
    "a time loses its zone": lambda: setattr(IncomingPhoneNumber, "date_updated_datetime", property(lambda self: (time := _values.read_rfc2822(self.date_updated)) and time.replace(tzinfo=UTC))),
    "credentials are written in the alphabet of URLs": seams.wrapped(_credentials, "b64encode", lambda real, data: base64.urlsafe_b64encode(data)),
}  # fmt: skip
CLIENT_DOCUMENT: dict[str, Edit] = {
    "an allowed value is refused": seams.schema("VoiceReceiveMode", lambda s: s.update(enum=["voice"])),
    "a value of another field is sent": seams.schema("VoiceReceiveMode", lambda s: s["enum"].append("POST")),
    "an allowed value in another case is sent": add_string_values,
    "a pattern is too strict": seams.member("PhoneNumber", pattern=r"^\+\d{5,16}$"),
    "a pattern is too loose": seams.member("PhoneNumber", pattern=r"^\+?\d{5,17}$"),
    "a pattern lost its end": seams.member("PhoneNumber", pattern=r"^\+\d{5,17}"),
    "a pattern takes any digits of Unicode": seams.member("PhoneNumber", pattern="^\\+[0-9\u0660-\u0669]{5,17}$"),
    "a length is too strict": seams.member("PhoneNumber", maxLength=17),
    "a length is checked off by one": seams.member("PhoneNumber", minLength=7),
    "a format is not checked": seams.member("SmsUrl", format=None),
    "a format is another one": seams.member("SmsUrl", format="date"),
    "a documented error is unknown": seams.responses(lambda r: seams.renamed(r, "422", "423")),
    "a documented error has the model of a success": seams.responses(lambda r: {status: r.get("201", r.get("200", reply)) if status == "422" else reply for status, reply in r.items()}),
    "a reply that keeps the contract causes a warning": seams.member("beta", NUMBER, type="string"),
}  # fmt: skip
SECOND: dict[str, Plant] = {
    "members are named as in Python": seams.written(PurchaseRequest, lambda m: {str(PythonIdentifier(n, "field_")): v for n, v in m.items()}),
    "open models forget what they do not know": seams.decoded(Capabilities, lambda found, m: found.additional_properties.clear()),
    "absent members are never null": seams.decoded(IncomingPhoneNumber, unset_absent),
    "every method is POST": seams.requests(lambda r: {"method": "POST"}),
    "no operation has a query": seams.requests(lambda r: {"query": ""}),
    "no operation has headers": seams.requests(lambda r: {"headers": {}}),
    "query and headers are swapped": seams.requests(lambda r: {"query": urlencode(r.headers), "headers": {n.lower(): text for n, text in pairs(r.query)}}),
    "names in a query are those of Python": seams.requests(lambda r: {"query": text_by_name(r.query)}),
    "a JSON body goes out as a form": seams.requests(lambda r: {"content": urlencode(json.loads(r.content)).encode()} if r.content_type == JSON else {}),
    "the facade gives every argument to the next": seams.wrapped(FACADE, "purchase", lambda real, self, **given: real(self, **dict(zip(given, [*given.values()][1:] + [*given.values()][:1], strict=True)))),
    "true is sent as True": seams.requests(lambda r: {"query": r.query.replace("=true", "=True")}),
    "a list is sent as one item": seams.requests(lambda r: {"query": joined_items(r.query)}),
    "only the first item of a list is sent": seams.requests(lambda r: {"query": urlencode(dict(reversed(pairs(r.query))))}),
    "a path is not encoded": seams.requests(lambda r: {"path": unquote(r.path)}),
    "a slash in a path is not encoded": seams.requests(lambda r: {"path": r.path.replace("%2F", "/")}),
    "a dot may be a segment of a path": seams.wrapped(_encoding, "path_segment", lambda real, name, value: value if value in (".", "..") else real(name, value)),
    "a blank may be a segment of a path": seams.wrapped(_encoding, "path_segment", lambda real, name, value: real(name, value) if value else ""),
    "a query is not encoded": seams.requests(lambda r: {"query": unquote_plus(r.query)}),
    "a text is sent by its str()": seams.wrapped(_encoding, "as_text", lambda real, name, value: str(value) if isinstance(value, str) else real(name, value)),
    "a header may hold anything": seams.wrapped(_encoding, "headers", lambda real, given: {n.lower(): str(v) for n, v in given.items() if not isinstance(v, Unset)}),
    "false is left out of JSON": seams.requests(lambda r: {"content": seams.json_of(r.content, lambda body: {n: v for n, v in body.items() if v})} if r.content_type == JSON else {}),
    "the async client sends every request twice": seams.wrapped(phone_numbers.purchase, "asyncio", twice),
}  # fmt: skip
SECOND_DOCUMENT: dict[str, Edit] = {
    "the first error stands for all": seams.responses(lambda r: seams.without(r, "401", "422")),
    "no documented error is known": seams.responses(lambda r: {status: reply for status, reply in r.items() if status < "300"}),
    "parameters are not checked": lambda d: [node.update(schema={"type": "string"}) for node in objects(d) if "in" in node and "schema" in node],
    "a body is not checked": seams.schema("PurchaseRequest", loose),
    "patterns are not generated": seams.everywhere("pattern"),
    "allowed values are not generated": seams.everywhere("enum"),
    "formats are not generated": seams.everywhere("format"),
    "limits are not generated": seams.everywhere("minLength", "maxLength", "minimum", "maximum"),
    "closed models are open": seams.everywhere("additionalProperties"),
}  # fmt: skip
MOCK: dict[str, Plant] = {
    "a required member is missing": seams.records(lambda r, call: seams.without(r, "country_code")),
    "a member has another type": seams.records(lambda r, call: {**r, "beta": "false"}),
    "a nested member is missing": seams.records(lambda r, call: {**r, "capabilities": seams.without(r["capabilities"], "fax")}),
    "a reply has a member that is not documented": seams.records(lambda r, call: {**r, "debug": None}),
    "a status is not documented": seams.answers(lambda a: {"status": a.status + (a.status < 300)}),
    "every refusal has the status 400": seams.answers(lambda a: {"status": 400 if a.refusal else a.status}),
    "the content type is plain text": seams.answers(lambda a: {"headers": {**a.headers, "content-type": "text/plain"}}),
    "the content type is missing": seams.answers(lambda a: {"headers": seams.without(dict(a.headers), "content-type")}),
    "a reply is cut off": seams.answers(lambda a: {"body": a.body[:-1]}),
    "the code of an error is text": seams.answers(lambda a: {"body": seams.json_of(a.body, lambda b: {**b, "code": str(b["code"])})} if a.refusal else {}),
    "one mistake is overlooked": seams.wrapped(request_checks, "_check_body", lambda real, *args: (lambda value, faults: (value, faults[1:]))(*real(*args))),
    "a body is not checked": seams.wrapped(request_checks, "_check_body", lambda real, *args: (real(*args)[0], [])),
    "a path is not checked": seams.wrapped(request_checks, "_check_parameters", lambda real, *args: (real(*args)[0], [])),
    "an unknown field is accepted": seams.wrapped(request_checks, "_unknown", lambda real, *args: []),
    "a missing field is accepted": seams.wrapped(request_checks, "_check_body", no_missing_field),
    "JSON in place of a form is refused": seams.wrapped(request_checks, "_check_body", no_json),
    "a missing body is accepted": seams.wrapped(request_checks, "_check_body", lambda real, incoming, *rest: real(incoming, *rest) if incoming.body else (None, [])),
    "no credentials are needed": seams.wrapped(credentials, "find_project", lambda real, incoming, token, **options: real(incoming, token, **options) if incoming.header("authorization") else DEFAULT_PROJECT),
    "any token will do": seams.wrapped(credentials, "find_project", any_token),
    "wrong credentials are forbidden": seams.answers(lambda a: {"status": 403 if a.status == 401 else a.status}),
    "another method is an unknown path": seams.answers(lambda a: {"status": 404 if a.status == 405 else a.status}),
    "a valid request is refused": seams.purchases(refuse_long_name),
    "an unusual character ends in a failure": seams.purchases(lambda call: call.body.get("FriendlyName", "").encode("ascii")),
    "a plus in a form stays a plus": seams.wrapped(parsing, "decode_pairs", lambda real, encoded: real(encoded.replace(b"+", b"%2B"))),
    "a blank value is dropped": seams.wrapped(parsing, "decode_pairs", lambda real, encoded: [pair for pair in real(encoded) if pair[1]]),
    "a default is another one": seams.records(lambda r, call: {**r, "sms_method": call.body.get("SmsMethod", "GET")}),
    "a refusal has the code of another field": seams.wrapped(request_checks, "_ordered", lambda real, *args: [replace(v, code=21402) if v.code == 21456 else v for v in real(*args)]),
    "a field may be repeated": seams.wrapped(request_checks, "_grouped", lambda real, pairs: {name: found[:1] for name, found in real(pairs).items()}),
    "a token may go on after a colon": seams.wrapped(credentials, "basic_credentials", lambda real, header: (found := real(header)) and (found[0], found[1].partition(":")[0])),
    "the scheme of the credentials has one spelling": seams.wrapped(credentials, "basic_credentials", lambda real, header: real(header) if header.startswith("Basic ") else None),
    "the uri of a number has another SID": seams.records(lambda r, call: {**r, "uri": r["uri"].replace(r["sid"], r["account_sid"])}),
    "a date has the wrong day of the week": seams.records(lambda r, call: {**r, "date_created": f"Xyz{r['date_created'][3:]}"}),
    "a number of Canada is one of the US": seams.records(lambda r, call: {**r, "country_code": r["country_code"].replace("CA", "US")}),
    "a setting that was not sent is not null": seams.records(lambda r, call: {**r, "voice_url": r.get("voice_url") or "https://x.example"}),
    "a name is not kept": seams.records(lambda r, call: {**r, "friendly_name": r["phone_number"]}),
    "a reply is about another number": seams.records(lambda r, call: {**r, "phone_number": f"{r['phone_number'][:-1]}0"}),
    "a reply names another account": seams.records(lambda r, call: {**r, "account_sid": r["account_sid"].lower()}),
    "a sold number is sold again": seams.wrapped(State, "buy", lambda real, *args: real(*args) or True),
    "a purchase is forgotten": seams.wrapped(State, "buy", lambda real, *args: True),
    "a refused purchase is charged for": seams.wrapped(State, "charges", lambda real, self, account: len(self._numbers)),
    "an account is anybody's": seams.wrapped(State, "claim", anybody),
    "a project in upper case is another one": seams.wrapped(credentials, "find_project", project_as_written),
    "an account in upper case is another one": seams.wrapped(State, "claim", lambda real, self, account, project: real(self, account if account.islower() else f"upper {account}", project)),
    "a reserved number is sold": seams.wrapped(refused_numbers, "reserved_numbers", lambda real, *args: [row for row in real(*args) if row.code != 30002]),
    "an update loses another setting": seams.wrapped(State, "change", lambda real, self, number, account, members: real(self, number, account, {"voice_method": "POST", **members})),
    "a transfer leaves a number where it was": seams.wrapped(State, "change", lambda real, self, number, account, members: real(self, number, number.account_sid, members)),
    "a released number stays": seams.wrapped(State, "release", lambda real, self, number: None),
    "a released number is never for sale again": seams.wrapped(State, "release", lambda real, self, number: (real(self, number), self._sold.add(number.phone_number))),
    "a number can be released at once": lambda: setattr(handlers, "_KEPT", timedelta()),
    "a list leaves out the newest number": seams.wrapped(listing, "_filtered", lambda real, *args: real(*args)[:-1]),
    "a page names another page before it": seams.answers(another_page_before),
    "a search finds what does not fit": seams.wrapped(searches, "_fits", lambda real, *args: True),
    "a sold number is still found": seams.wrapped(State, "is_sold", lambda real, *args: False),
    "a sold number has the status of another refusal": seams.wrapped(Contract, "status", lambda real, *args: 400 if args[-1] == 422 else real(*args)),
    "a letter of the keypad stands for another digit": lambda: numbering._KEYPAD.update({ord("S"): ord("8")}),
    "the next page of a list has no filters": seams.wrapped(listing, "_filters", lambda real, call: {}),
    "the pieces of a pattern come in any order": seams.wrapped(numbering.NumberPattern, "matches", lambda real, self, number: all(piece.search(number) for piece in self._pieces)),
    "the last wrong field gives the code": seams.wrapped(request_checks, "_ordered", lambda real, *args: real(*args)[::-1]),
    "a changed number goes to the end of its list": seams.wrapped(State, "change", lambda real, self, number, *rest: (real(self, number, *rest), self._numbers.update({number.sid: self._numbers.pop(number.sid)}))),
    "a search finds fewer numbers than it may": seams.wrapped(searches, "islice", lambda real, offers, most: real(offers, most - 1)),
    "a reserved number in place of a SID is not seen": seams.wrapped(refused_numbers, "_texts", lambda real, call: iter(call.body.values()) if isinstance(call.body, dict) else real(call)),
    "a token of another page will do": seams.wrapped(listing, "_token", lambda real, call, page, *rest: real(call, 1, *rest)),
    "a list ignores the name that is asked for": seams.wrapped(listing, "_filtered", lambda real, call, state: real(call, state) if call.query("PhoneNumber") else state.numbers(call.account_sid)),
}  # fmt: skip
SPEC: dict[str, Edit] = {
    "a field is renamed": seams.members(lambda m: seams.renamed(m, "VoiceUrl", "VoiceURL")),
    "a field is removed": seams.members(lambda m: seams.without(m, "FriendlyName")),
    "a field is added": seams.members(lambda m: {**m, "Label": {"type": "string", "description": "A label."}}),
    "a field becomes required": seams.schema("PurchaseRequest", lambda s: s["required"].append("FriendlyName")),
    "a required field becomes optional": seams.schema("PurchaseRequest", lambda s: s.pop("required")),
    "a field has another type": seams.member("FriendlyName", type="integer"),
    "a field lost its format": seams.member("SmsApplicationSid", format=None),
    "a field has another format": seams.member("SmsFallbackUrl", format="uuid"),
    "an allowed value is added": seams.schema("HttpMethod", lambda s: s["enum"].append("PUT")),
    "an allowed value is removed": seams.schema("VoiceReceiveMode", lambda s: s.update(enum=["voice"])),
    "a pattern is looser": seams.member("PhoneNumber", pattern=r"^\+\d{4,17}$", minLength=5),
    "a pattern is tighter": seams.member("PhoneNumber", pattern=r"^\+\d{6,17}$", minLength=7),
    "two limits are tighter at once": seams.member("PhoneNumber", pattern=r"^\+\d{5,16}$", maxLength=17),
    "a length is looser": seams.member("PhoneNumber", pattern=r"^\+\d{5,18}$", maxLength=19),
    "a length is tighter": seams.member("PhoneNumber", maxLength=17),
    "a length is new": seams.member("FriendlyName", maxLength=64),
    "a default is another one": seams.member("SmsMethod", default="GET"),
    "unknown fields are allowed": seams.schema("PurchaseRequest", lambda s: s.update(additionalProperties=True)),
    "the body is JSON": seams.operation(lambda o: o["requestBody"].update(content=seams.renamed(o["requestBody"]["content"], FORM, JSON))),
    "the method is PUT": lambda d: d.update(paths={path: seams.renamed(item, "post", "put") for path, item in d["paths"].items()}),
    "the path is another one": lambda d: d.update(paths={path.replace("Incoming", "Owned"): item for path, item in d["paths"].items()}),
    "the server is another one": lambda d: d["servers"][0].update(url=d["servers"][0]["url"].replace("04-01", "04-02")),
    "no credentials are asked for": seams.operation(lambda o: o.update(security=[])),
    "an account may be any text": seams.schema("AccountSid", lambda s: s.pop("format")),
    "the success has another status": seams.operation(lambda o: o.update(responses=seams.renamed(o["responses"], "201", "200"))),
    "a refusal has another status": seams.operation(lambda o: o.update(responses=seams.renamed(o["responses"], "422", "409"))),
    "wrong credentials are not documented": seams.operation(lambda o: o.update(responses=seams.renamed(o["responses"], "401", "403"))),
    "a reply has a required member more": seams.schema(NUMBER, lambda s: s["required"].append("bundle_sid")),
    "a member of the reply is renamed": seams.members(lambda m: seams.renamed(m, "api_version", "version"), NUMBER),
    "a nested member of the reply is removed": seams.members(lambda m: seams.without(m, "fax"), CAPABLE),
    "a member of the reply has another type": seams.member("beta", NUMBER, type="string"),
    "a member of the reply is never null": seams.member("address_sid", NUMBER, type="string"),
    "a member of the reply has a format": seams.member("date_created", NUMBER, format="date-time"),
    "a member of the reply has fewer values": seams.schema("Origin", lambda s: s.update(enum=["hosted"])),
    "a nested member of the reply is renamed": seams.members(lambda m: seams.renamed(m, "fax", "telefax"), CAPABLE),
    "a member of an error has another type": seams.member("code", "Error", type="string", format=None),
    "an error has a required member more": seams.schema("Error", lambda s: s["required"].append("request_id")),
}  # fmt: skip
BUGS = (
    *(Bug("client", name, plant=plant) for name, plant in CLIENT.items()),
    *(Bug("client", name, edit=edit) for name, edit in CLIENT_DOCUMENT.items()),
    *(Bug("second operation", name, plant=plant) for name, plant in SECOND.items()),
    *(Bug("second operation", name, edit=edit) for name, edit in SECOND_DOCUMENT.items()),
    *(Bug("mock", name, plant=plant) for name, plant in MOCK.items()),
    *(Bug("spec", name, edit=edit) for name, edit in SPEC.items()),
)


def pytest_load_initial_conftests() -> None:
    for bug in BUGS:
        if f"{bug.place}: {bug.name}" == os.environ["FUZZ_PROOF_BUG"] and bug.plant:
            bug.plant()

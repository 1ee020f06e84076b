"""A part of run 1: a valid request, spelt in ways that no generator of values tries."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from signalwire_compat_fuzz import console
from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.case_sources import Operation, each_operation
from signalwire_compat_fuzz.credentials import TOKEN
from signalwire_compat_fuzz.document import AnyCase
from signalwire_compat_fuzz.expected_request import as_text, code_of_refusal
from signalwire_compat_fuzz.near_valid import changed, full_body, valid_case
from signalwire_compat_mock import MockServer

from tests.conftest import PROJECT

Refused = tuple[int, int]
MALFORMED, UNAUTHORIZED, UNKNOWN = (400, 10000), (401, 20003), (404, 20404)


@dataclass(frozen=True)
class Raw:
    """A request as it is written. `form` says whether its body is a form."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    form: bool

    def of(self, **headers: str) -> "Raw":
        """Write these headers in another way."""
        return replace(self, headers=self.headers | headers)


Deviation = tuple[str, Callable[[Raw], Raw | None], Refused | None]


def basic(user: str, password: str, scheme: str = "Basic ") -> str:
    return scheme + base64.b64encode(f"{user}:{password}".encode()).decode()


def written(case: AnyCase) -> Raw:
    values = {name: quote(as_text(value), safe="") for name, value in case.path_parameters.items()}
    headers = {name: as_text(value) for name, value in case.headers.items()}
    headers["authorization"] = basic(PROJECT, TOKEN)
    form: Any = case.body if doc.media_type(case.media_type) == doc.FORM else None
    members = {
        n: [*map(as_text, v)] if isinstance(v, list) else as_text(v)
        for n, v in (form or {}).items()
    }
    has_form = form is not None
    return Raw(
        method=case.operation.method.upper(),
        path=doc.BASE_PATH + case.operation.path.format(**values),
        query=urlencode({n: as_text(v) for n, v in case.query.items()}),
        headers=headers | ({"content-type": doc.FORM} if has_form else {}),
        body=urlencode(members, doseq=True).encode(),
        form=has_form,
    )


def signed(value: str) -> Callable[[Raw], Raw]:
    return lambda raw: raw.of(authorization=value)


def at_path(change: Callable[[str], str]) -> Callable[[Raw], Raw]:
    return lambda raw: replace(raw, path=change(raw.path))


def in_query(text: str) -> Callable[[Raw], Raw]:
    return lambda raw: replace(raw, query=f"{raw.query}&{text}" if raw.query else text)


def in_form(change: Callable[[bytes], bytes]) -> Callable[[Raw], Raw | None]:
    return lambda raw: replace(raw, body=change(raw.body)) if raw.form else None


def with_form(raw: Raw) -> Raw:
    return replace(raw.of(**{"content-type": doc.FORM}), body=b"x=y")


def typed(kind: str) -> Callable[[Raw], Raw | None]:
    return lambda raw: raw.of(**{"content-type": kind}) if raw.form else None


def escaped(body: bytes) -> bytes:
    """Escape each character of each value."""
    pairs = (pair.partition(b"=") for pair in body.split(b"&"))
    texts = ((name, httpx.QueryParams(b"x=" + value)["x"]) for name, _, value in pairs)
    return b"&".join(
        name + b"=" + "".join(f"%{byte:02x}" for byte in text.encode()).encode()
        for name, text in texts
    )


DEVIATIONS: list[Deviation] = [
    ("as it is", lambda raw: raw, None),
    ("scheme in lower case", signed(basic(PROJECT, TOKEN, "basic ")), None),
    ("scheme in capitals", signed(basic(PROJECT, TOKEN, "BASIC ")), None),
    ("two spaces behind the scheme", signed(basic(PROJECT, TOKEN, "Basic  ")), None),
    ("project in capitals", signed(basic(PROJECT.upper(), TOKEN)), None),
    ("another scheme", signed(f"Bearer {TOKEN}"), UNAUTHORIZED),
    ("no scheme", signed(basic(PROJECT, TOKEN, "")), UNAUTHORIZED),
    ("a colon behind the token", signed(basic(PROJECT, f"{TOKEN}:")), UNAUTHORIZED),
    ("a blank behind the token", signed(basic(PROJECT, f"{TOKEN} ")), UNAUTHORIZED),
    ("token in another case", signed(basic(PROJECT, TOKEN.swapcase())), UNAUTHORIZED),
    ("no token", signed(basic(PROJECT, "")), UNAUTHORIZED),
    ("no project", signed(basic("", TOKEN)), UNAUTHORIZED),
    ("a letter behind the project", signed(basic(f"{PROJECT}x", TOKEN)), UNAUTHORIZED),
    ("a control character", signed(basic(PROJECT, f"{TOKEN}\0")), UNAUTHORIZED),
    ("no Base64", signed(f"Basic {PROJECT}:{TOKEN}"), UNAUTHORIZED),
    ("a slash at the end", at_path(lambda path: f"{path}/"), UNKNOWN),
    ("two slashes", at_path(lambda path: path.replace("/Accounts/", "//Accounts/")), UNKNOWN),
    ("an escaped slash", at_path(lambda path: path.replace("/Accounts/", "/Accounts%2F")), UNKNOWN),
    ("another case", at_path(lambda path: path.replace("/Accounts/", "/accounts/")), UNKNOWN),
    ("another version", at_path(lambda path: path.replace("2010-04-01", "2010-04-02")), UNKNOWN),
    ("no base path", at_path(lambda path: path.removeprefix(doc.BASE_PATH)), UNKNOWN),
    ("an unknown name in the query", in_query("Unknown=x"), MALFORMED),
    ("a bare percent sign in the query", in_query("Unknown=100%"), MALFORMED),
    ("an escape of no UTF-8 in the query", in_query("Unknown=%ff"), MALFORMED),
    ("a body of no operation", lambda raw: None if raw.form else with_form(raw), MALFORMED),
    ("empty pairs", in_form(lambda body: b"&" + body + b"&&"), None),
    ("every character escaped, in lower case", in_form(escaped), None),
    ("a content type in capitals", typed(doc.FORM.upper()), None),
    ("a content type with a charset", typed(f'{doc.FORM} ;charset="UTF-8"'), None),
    ("another charset", typed(f"{doc.FORM}; charset=iso-8859-1"), MALFORMED),
    ("an unknown name in the form", in_form(lambda body: body + b"&Unknown=x"), MALFORMED),
    ("a name without a value", in_form(lambda body: body + b"&Unknown"), MALFORMED),
    ("a bare percent sign", in_form(lambda body: body + b"&Unknown=100%"), MALFORMED),
    ("an escape of no UTF-8", in_form(lambda body: body + b"&Unknown=%FF"), MALFORMED),
    ("a control character in the form", in_form(lambda body: body + b"&Unknown=\x1f"), MALFORMED),
]


def as_official_sdks_do(case: AnyCase, raw: Raw) -> Iterator[Deviation]:
    """Write a request as the document says that the server also takes it, without promising it."""
    also = doc.DOCUMENT["servers"][0].get("x-also-accepted", {})
    path = raw.path.removeprefix(doc.BASE_PATH)
    written = {base: replace(raw, path=base + path) for base in also.get("base-paths", ())}
    written["suffix"] = replace(raw, path=raw.path + also.get("suffix", ""))
    for name in {*also.get("query", ())} - {*doc.parameter_schemas(case)}:
        written[name] = in_query(f"{name}=5")(raw)
    if also.get("json") and isinstance(case.body, dict):
        as_json = raw.of(**{"content-type": doc.JSON})
        written["JSON"] = replace(as_json, body=json.dumps(case.body).encode())
    yield from ((name, partial(_instead, sent), None) for name, sent in written.items())


def refusal(code: int) -> Refused:
    """Return the status and the code, as the document has them."""
    statuses = doc.DOCUMENT["components"]["schemas"]["Error"]["x-error-codes"]
    return statuses[str(code)]["status"], code


def code_of(schema: doc.Schema) -> int:
    """Return the code for a value that a schema does not allow."""
    code: int = doc.resolved(schema).get("x-error-codes", {}).get("invalid", MALFORMED[1])
    return code


def misspelt_in_query(case: AnyCase) -> Iterator[Deviation]:
    """Repeat each parameter, and write integers and booleans as other languages do."""
    for name in (parameter.name for parameter in case.operation.query):
        schema = doc.parameter_schemas(case)[name]
        texts = [f"x&{name}=x"]
        if doc.allows_type(schema, "integer"):
            texts = ["05", "%2B5", "%205", "5%20", "0x5", "%D9%A5", f"5&{name}=5"]
        elif doc.allows_type(schema, "boolean"):
            texts = ["True", "TRUE", "1", "yes", "%20true", f"true&{name}=true"]
        for text in texts:
            yield f"{name}={text}", in_query(f"{name}={text}"), refusal(code_of(schema))


def several_wrong(case: AnyCase) -> Iterator[Deviation]:
    """Break several fields at once: the reply has the code of the first one in the document."""
    members = doc.named_members(doc.body_schema(case) or {}) if doc.is_form(case) else {}
    body: Any = case.body
    fields = [("query", p.name, doc.parameter_schemas(case)[p.name]) for p in case.operation.query]
    fields += [("body", *member) for member in members.items()]
    texts = [[t for t in ("x", "") if not doc.is_valid(case, field[-1], t)] for field in fields]
    wrong = [
        (part, name, found[0])
        for (part, name, _), found in zip(fields, texts, strict=True)
        if found
    ]
    with_the_last = [[field, wrong[-1]] for field in wrong[:-2]]
    for spoiled in [wrong[number:] for number in range(len(wrong))] + with_the_last:
        parts: dict[str, dict[str, Any]] = {"query": {**case.query}}
        if members:
            parts["body"] = {"Unknown": "x", **dict(reversed(body.items()))}
        for part, name, text in spoiled:
            parts[part][name] = text
        spoilt = changed(case, **parts)
        code = code_of_refusal(spoilt)
        if code is not None:
            yield f"wrong: {spoiled}", partial(_instead, written(spoilt)), refusal(code)


def repeated(case: AnyCase, raw: Raw) -> Iterator[Deviation]:
    """Repeat each member of the form: the same value, and another one before and behind it."""
    members = doc.named_members(doc.body_schema(case) or {}) if raw.form else {}
    for pair in filter(None, raw.body.split(b"&")):
        name = pair.partition(b"=")[0].decode()
        refused = refusal(code_of(members[name]))
        if not doc.allows_type(members[name], "array"):
            other = name.encode() + b"=x"
            for pairs in ((raw.body, pair), (raw.body, other), (other, raw.body)):
                sent = replace(raw, body=b"&".join(pairs))
                yield f"{name} twice", partial(_instead, sent), refused


def _instead(sent: Raw, _: Raw) -> Raw:
    return sent


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@each_operation
def test_one_request_is_taken_or_refused_however_it_is_written(
    operation: Operation, server: MockServer, http: httpx.Client
) -> None:
    case = valid_case(operation)
    case = changed(case, body=full_body(case)) if isinstance(case.body, dict) else case
    raw = written(case)
    if isinstance(case.body, dict) != raw.form or not doc.is_secured(case):
        pytest.skip("only for operations with credentials and, if they have a body, a form")
    for name, change, refused in (
        *DEVIATIONS,
        *as_official_sdks_do(case, raw),
        *repeated(case, raw),
        *misspelt_in_query(case),
        *several_wrong(case),
    ):
        if (sent := change(raw)) is None:
            continue
        with console.counted((name, sent)):
            server.reset()
            target = f"{sent.path}?{sent.query}" if sent.query else sent.path
            reply = http.request(
                sent.method,
                server.url,
                headers=sent.headers,
                content=sent.body,
                extensions={"target": re.sub(r"\s", "%20", target).encode()},
            )
            if refused is None:
                assert reply.is_success, f"{name}: {reply.status_code}, {reply.text}"
            else:
                status = refused[0] if doc.reply_key(case, refused[0]) else reply.status_code
                assert not reply.is_success, f"{name}: it was taken"
                said = reply.json()
                assert (reply.status_code, int(said["code"])) == (status, refused[1]), name
                assert said["status"] == status, f"{name}: the body says another status"
                assert said["message"].strip(), name
                is_challenged = "basic" in reply.headers.get("www-authenticate", "").lower()
                assert is_challenged == (status == 401), name

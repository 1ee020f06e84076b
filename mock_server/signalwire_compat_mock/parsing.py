"""Strict parsers of forms, queries, JSON and single values."""

import base64
import contextlib
import json
import logging
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import File, FormParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
MULTIPART = "multipart/form-data"
MAX_BODY_BYTES = 2**20
MAX_JSON_DEPTH = 100
HUNG_UP = "is incomplete: the connection was closed, or its chunks are broken"
"""Why a request is unreadable whose sender waits for no reply."""

# Its errors are in the reply; without a handler they would also go to standard error.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def media_type(content_type: str) -> str:
    """Return a content type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def is_json(kind: str) -> bool:
    """Whether a media type is JSON: `application/json`, or one that ends in `+json`."""
    return kind == JSON or kind.endswith("+json")


class ParseError(ValueError):
    """Bytes that break their format. The message begins with a verb: "holds bytes that ..."."""


@dataclass(frozen=True)
class Incoming:
    """A request as it arrived. Header names are in lower case; `path` and `query` are not decoded.

    If the body is complete, `form`, `json` or `text` is set by its type; if not, `unreadable` says
    why. Bytes of files and of other types are one character each.
    """

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    content_type: str | None
    form: list[tuple[str, str]] | None = None
    json: Any = None
    text: str | None = None
    unreadable: str | None = None

    def header(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key == name.lower()]

    def parameters(
        self,
        location: str,
        path: Mapping[str, str],
        headers: Iterable[str],
        lists: Collection[str] = (),
        *,
        repeated: bool = False,
    ) -> Iterator[tuple[str, str]]:
        """Yield names and texts in a location: those of `path`, or of the `headers` that are named.

        In query and cookie the texts of `lists` stay encoded. With `repeated`, `&` separates
        cookies as `;` does. Errors: `ParseError`.
        """
        if location == "path":
            if _BROKEN_ESCAPE.search(self.path.encode()):
                raise ParseError("holds a percent sign that two hexadecimal digits do not follow")
            yield from path.items()
        elif location == "query":
            yield from decode_pairs(self.query.encode(), lists)
        elif location == "header":
            yield from ((name, value) for name in headers for value in self.header(name))
        else:
            for line in self.header("cookie"):
                for piece in re.split("[;&]" if repeated else ";", line):
                    name, _, value = (part.strip() for part in piece.partition("="))
                    value = value.replace("+", "%2B")  # Only a form writes a blank so.
                    yield name, value if name in lists else decode_value(value)


def basic_credentials(header: str) -> tuple[str, str] | None:
    """Return user and password of HTTP Basic, or None if the header holds anything else."""
    scheme, _, encoded = header.partition(" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        return None
    user, colon, password = decoded.partition(":")
    return (user, password) if colon and scheme.lower() == "basic" else None


async def read_request(request: Request) -> Incoming:
    """Read a request to its end, so that its sender reads the reply; keep up to 1 MiB."""
    body, size, problem = bytearray(), 0, None
    try:
        async for chunk in request.stream():
            size += len(chunk)
            body += chunk[: MAX_BODY_BYTES - len(body)]
    except ClientDisconnect:
        problem = HUNG_UP
    if size > MAX_BODY_BYTES:
        problem = f"is larger than {MAX_BODY_BYTES} bytes"
    path, query = (request.scope[name].decode("latin-1") for name in ("raw_path", "query_string"))
    headers = request.headers.items()
    line = ", ".join(value for name, value in headers if name == "content-type")
    kind = media_type(line) or None
    incoming = Incoming(request.method, path, query, headers, bytes(body), kind)
    try:
        if problem is None and kind:
            return replace(incoming, **_decoded(kind, line, incoming.body))
    except ParseError as error:
        problem = str(error)
    return replace(incoming, unreadable=problem)


def _decoded(kind: str, content_type: str, body: bytes) -> dict[str, Any]:
    """Decode a body by its media type, as the member of `Incoming` that it belongs to."""
    if kind == MULTIPART:
        return {"form": decode_parts(content_type, body)}
    if kind != FORM and not is_json(kind) and not kind.startswith("text/"):
        return {"text": body.decode("latin-1")}
    charset = parse_options_header(content_type)[1].get(b"charset", b"utf-8")
    if charset.lower() not in (b"utf-8", b"utf8"):
        raise ParseError("is not declared as UTF-8")
    if kind == FORM:
        return {"form": decode_pairs(body)}
    return {"json": decode_json(body)} if is_json(kind) else {"text": _text(body)}


def decode_parts(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Decode multipart/form-data: names and contents. Each byte of a file is one character."""
    parts: list[Any] = []
    ended: list[bool] = []
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise ParseError("is without a boundary: the content type has to name one")
    try:
        parser = FormParser(
            MULTIPART, parts.append, parts.append, lambda: ended.append(True), boundary
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise ParseError(f"is not {MULTIPART}: {error}") from None
    if not ended:
        raise ParseError("is cut off: its last boundary is missing")
    pairs = []
    for part in parts:
        # Browsers and httpx escape a quote like this.
        name = _text(part.field_name or b"").replace("%22", '"')
        if isinstance(part, File):
            part.file_object.seek(0)
            pairs.append((name, part.file_object.read().decode("latin-1")))
            part.close()
        else:
            pairs.append((name, _text(part.value or b"")))
    return pairs


def _text(encoded: bytes) -> str:
    try:
        return encoded.decode()
    except UnicodeDecodeError:
        raise ParseError("holds bytes that are not UTF-8") from None


def decode_pairs(encoded: bytes, kept: Collection[str] = ()) -> list[tuple[str, str]]:
    """Decode a form or a query: pairs in order, blank values kept. Errors: `ParseError`.

    The values of the names that are `kept` stay encoded.
    """
    if _CONTROL.search(encoded):
        raise ParseError("holds a control character that is not percent-encoded")
    if _BROKEN_ESCAPE.search(encoded):
        raise ParseError("holds a percent sign that two hexadecimal digits do not follow")
    pairs = []
    for piece in filter(None, encoded.split(b"&")):
        name, _, value = (part.decode("latin-1") for part in piece.partition(b"="))
        name = decode_value(name)
        pairs.append((name, value if name in kept else decode_value(value)))
    return pairs


def decode_value(encoded: str) -> str:
    """Decode a name or value of a form or a query, given as Latin-1. Errors: `ParseError`."""
    return _text(unquote_to_bytes(encoded.replace("+", " ").encode("latin-1")))


def decode_json(encoded: bytes) -> Any:
    """Decode JSON as in RFC 8259, up to `MAX_JSON_DEPTH` levels deep. Errors: `ParseError`."""
    try:
        value = json.loads(
            _text(encoded), object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite
        )
        if _depth(value) > MAX_JSON_DEPTH:
            raise RecursionError
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ParseError("holds a lone surrogate") from None
    except json.JSONDecodeError as error:
        raise ParseError(f"is not JSON: {error}") from None
    except RecursionError:
        raise ParseError(f"is nested more than {MAX_JSON_DEPTH} levels deep") from None
    except ParseError:
        raise
    except ValueError:
        raise ParseError("holds a number with too many digits") from None
    return value


def decode_text(types: frozenset[str], text: str) -> Any:
    """Convert text to one of the JSON types. Text that can't be converted stays text."""
    if not types or "string" in types:
        return text
    if "object" in types and text.startswith("{"):
        try:  # A form holds an object as JSON.
            return decode_json(text.encode(errors="surrogateescape"))
        except ParseError:
            return text
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    if types & {"integer", "number"}:
        with contextlib.suppress(ValueError):
            if _INTEGER.fullmatch(text):
                return int(text)
            if "number" in types and _NUMBER.fullmatch(text):
                return _finite(text)
    return text


def _unique(pairs: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ParseError("holds an object that names a member twice")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ParseError("holds a number that is not finite, or too large")
    return number


def _depth(value: Any) -> int:
    members = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, members), default=0) if isinstance(value, dict | list) else 0

"""The compiled openapi.yaml: routes, fields, validators and error codes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from .document import Document, Validator

INVALID, CREDENTIALS, NOT_FOUND = 10000, 20003, 20404
"""Error codes that do not depend on a field: bad request, 401, unknown path."""

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
MULTIPART = "multipart/form-data"


def media_type(content_type: str) -> str:
    """Return a content type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def is_json(kind: str) -> bool:
    """Whether a media type is JSON: `application/json`, or one that ends in `+json`."""
    return kind == JSON or kind.endswith("+json")


@dataclass(frozen=True)
class Shape:
    """The JSON types that a text may be converted to, and the shape of the items of an array."""

    types: frozenset[str]
    item: "Shape | None" = None


@dataclass(frozen=True)
class Field:
    """A parameter, or a member of a body. The codes come from `x-error-codes`."""

    name: str
    shape: Shape
    default: Any = None
    missing: int = INVALID
    invalid: int = INVALID


@dataclass(frozen=True)
class Parameter:
    """A parameter in the `path`, `query`, `header` or `cookie`.

    With `explode`, an array is sent as one parameter per item. An object in the query has
    `members`, which are sent as parameters of their own.
    """

    field: Field
    location: str
    required: bool
    explode: bool
    validator: Validator
    members: Mapping[str, Field]

    @property
    def names(self) -> tuple[str, ...]:
        """The parameter names in the request."""
        return tuple(self.members) or (self.field.name,)


@dataclass(frozen=True)
class Media:
    """One content type of a body: the compiled schema, and the properties it defines."""

    pointer: str
    fields: Mapping[str, Field]
    validator: Validator


@dataclass(frozen=True)
class Body:
    """The body of a request, by media type."""

    required: bool
    media: Mapping[str, Media]


@dataclass(frozen=True)
class Response:
    """A documented reply. `media` is None without content. `headers`: required ones, by pointer."""

    pointer: str
    content_type: str | None
    media: Media | None
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Operation:
    """One operation of the spec; `id` is its operationId, else its method and path."""

    id: str
    pointer: str
    secured: bool
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: Mapping[str, Response]

    def response(self, status: int) -> Response | None:
        """Find the reply documented for a status: by number, by class such as 4XX, or default."""
        keys = (str(status), f"{status // 100}XX", "default")
        return next((self.responses[key] for key in keys if key in self.responses), None)


@dataclass(frozen=True)
class Route:
    """A path: one pattern per segment, the parameter names, and the operations by method."""

    segments: tuple[re.Pattern[str], ...]
    names: tuple[str, ...]
    operations: Mapping[str, Operation]


@dataclass(frozen=True)
class ErrorCode:
    """A published error code: its status, and when it is sent."""

    status: int
    when: str


@dataclass(frozen=True)
class Contract:
    """The compiled spec.

    `routes` are sorted: fewer parameters first. `codes` (from `x-error-codes` of the schema Error)
    are keyed by number, `operations` by id.
    """

    source: Path
    document: Document
    base_path: str
    routes: tuple[Route, ...]
    codes: Mapping[int, ErrorCode]
    error: Validator
    more_info: str
    version: str
    operations: Mapping[str, Operation]

    def match(self, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """Find the route of a percent-encoded path, and its decoded parameters.

        Bytes that are not UTF-8 become lone surrogates.
        """
        segments = [unquote(step, errors="surrogateescape") for step in raw_path.split("/")]
        base = self.base_path.split("/")
        if segments[: len(base)] != base:
            return None
        segments = segments[len(base) :]
        for route in self.routes:
            if len(route.segments) != len(segments):
                continue
            pairs = zip(route.segments, segments, strict=True)
            found = [pattern.fullmatch(segment) for pattern, segment in pairs]
            if all(found):
                values = [value for m in found if m for value in m.groups()]
                return route, dict(zip(route.names, values, strict=True))
        return None

    def status(self, operation: Operation | None, status: int) -> int:
        """Return the status to send for an error: `status` if the operation documents it.

        401 is always kept. Any other undocumented status becomes 400 if that is documented, else
        the lowest documented 4xx, else 400.
        """
        if operation is None or status == 401 or operation.response(status):
            return status
        numbers = sorted(int(k) for k in operation.responses if re.fullmatch(r"4\d\d", k))
        return 400 if operation.response(400) or not numbers else numbers[0]

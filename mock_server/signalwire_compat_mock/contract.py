"""The compiled openapi.yaml: routes, fields, validators and error codes."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, unquote_to_bytes

from .document import Document, Validator

CODES = INVALID, CREDENTIALS, NOT_FOUND = 10000, 20003, 20404
"""Error codes that do not depend on a field: bad request, 401, unknown path."""


@dataclass(frozen=True)
class Field:
    """A parameter, or a member of a body.

    Attributes:
        types: The JSON types that its text may be converted to; none if any text is valid.
        item: The items of an array, or the members of an object that it does not name.
        missing, invalid: The codes of `x-error-codes`.
        explode: Whether each item of an array is sent under the name, not all in one value.
        delimiter: A pattern of what is between the items of one value, before decoding.
        prefix: What is before a value in a path.
        members: The members of an object that are sent as parameters, by the names of these.
        in_one: The members of an object that is one value, such as `a,1,b,2`; else None.
        joined: Whether names and values in it are joined, as `a=1,b=2`.
    """

    name: str
    types: frozenset[str] = frozenset()
    item: "Field | None" = None
    default: Any = None
    missing: int = INVALID
    invalid: int = INVALID
    explode: bool = True
    delimiter: str = ","
    prefix: str = ""
    members: Mapping[str, "Field"] = field(default_factory=dict)
    in_one: Mapping[str, "Field"] | None = None
    joined: bool = False

    @property
    def is_split(self) -> bool:
        """Whether one text holds several values."""
        return self.in_one is not None or ("array" in self.types and not self.explode)

    @property
    def is_spread(self) -> bool:
        """Whether several texts hold one value."""
        return bool(self.members) or ("array" in self.types and self.explode)


@dataclass(frozen=True)
class Part:
    """A part of a message: the parameters in one location, or one content type of a body.

    Names that are `ignored` are not documented, and may be sent without effect.
    """

    pointer: str
    fields: Mapping[str, Field]
    validator: Validator
    ignored: Collection[str] = ()

    @property
    def names(self) -> list[str]:
        """The names that a request may send."""
        return [name for known in self.fields.values() for name in known.members or [known.name]]


@dataclass(frozen=True)
class Body:
    """The body of a request, by media type."""

    required: bool
    media: Mapping[str, Part]


@dataclass(frozen=True)
class Response:
    """A documented reply. `media` is None without content. `headers`: required ones, by pointer."""

    pointer: str
    content_type: str | None
    media: Part | None
    headers: Mapping[str, str]


class Scheme(NamedTuple):
    """A security scheme: `kind` is basic, bearer, or the place of an API key with this `name`."""

    kind: str
    name: str = ""


@dataclass(frozen=True)
class Operation:
    """One operation of the spec, with its parameters by location (`path`, `query` and so on).

    `name` is the operationId after its first tag, such as "phone_numbers.purchase". `ways` are the
    alternatives of its credentials, none if it needs none; `has_account` says whether their user is
    the account in the path. `repeats` says which member of a successful reply repeats which
    argument.
    """

    id: str
    name: str
    pointer: str
    ways: tuple[tuple[Scheme, ...], ...]
    has_account: bool
    parameters: Mapping[str, Part]
    body: Body | None
    responses: Mapping[str, Response]
    repeats: Mapping[str, str]

    @property
    def query_keys(self) -> set[str]:
        """Names of the API keys in the query that are not documented as parameters."""
        keys = {each.name for way in self.ways for each in way if each.kind == "query"}
        return keys - self.parameters["query"].fields.keys()

    def response(self, status: int) -> Response | None:
        """Find the reply documented for a status: by number, by class such as 4XX, or default."""
        keys = (str(status), f"{status // 100}XX", "default")
        return next((self.responses[key] for key in keys if key in self.responses), None)


@dataclass(frozen=True)
class Route:
    """A path: a pattern with a group for each name, and the operations by method.

    The `lists` among the names stay encoded, as their delimiters do not.
    """

    pattern: re.Pattern[str]
    names: tuple[str, ...]
    operations: Mapping[str, Operation]
    lists: frozenset[str]


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

    @property
    def api_keys(self) -> Mapping[str, set[str]]:
        """The names of API keys, by the place where they are sent."""
        found: dict[str, set[str]] = {"header": set(), "query": set(), "cookie": set()}
        for operation in self.operations.values():
            for scheme in (scheme for way in operation.ways for scheme in way if scheme.name):
                found[scheme.kind].add(scheme.name)
        return found

    def match(self, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """Find the route and the parameters of a path. Not UTF-8: lone surrogates."""
        path = re.sub(r"[^/,;=]+", lambda s: quote(unquote_to_bytes(s[0]), safe=""), raw_path)
        for route in self.routes:
            if found := route.pattern.fullmatch(path):
                texts = dict(zip(route.names, found.groups(), strict=True))
                return route, {
                    name: text if name in route.lists else unquote(text, errors="surrogateescape")
                    for name, text in texts.items()
                }
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

    def error_body(self, code: int, message: str, status: int) -> dict[str, Any]:
        """Make the body of an error, as the schema Error has it."""
        return {"code": code, "message": message, "more_info": self.more_info, "status": status}

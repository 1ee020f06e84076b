"""A request as an operation makes it."""

from __future__ import annotations

from typing import Any

from attrs import define, field

from ._redaction import line
from ._values import RequestFiles


@define(kw_only=True)
class Request:
    """A request as an operation makes it: complete but for the server and the credentials.

    Shape: `path` follows the base path and is percent-encoded, as is `query`; `route` is the path
    as the contract writes it. `arguments` is what was given, by the names of the contract, and
    `required` names those of them that tell one call from another.
    """

    operation: str
    arguments: dict[str, Any] = field(factory=dict)
    required: tuple[str, ...] = ()
    method: str
    route: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(factory=dict)
    content: bytes | str | None = None
    content_type: str | None = None
    files: RequestFiles | None = None
    accept: str = "application/json"
    authenticate: bool = True

    @property
    def call(self) -> str:
        """The call in words: the operation and what was required of it."""
        given = (
            f"{name}={line(repr(self.arguments[name]), 40)}"
            for name in self.required
            if name in self.arguments
        )
        return f"{self.operation}({', '.join(given)})"

    @property
    def told(self) -> dict[str, Any]:
        """What every error says of the request."""
        return {"operation": self.operation, "arguments": self.arguments}

    @property
    def is_safe(self) -> bool:
        """Whether the method changes nothing. Source: RFC 9110, 9.2.1."""
        return self.method in ("GET", "HEAD", "OPTIONS", "TRACE")

    @property
    def is_idempotent(self) -> bool:
        """Whether doing it twice is doing it once. Source: RFC 9110, 9.2.2."""
        return self.is_safe or self.method in ("PUT", "DELETE")

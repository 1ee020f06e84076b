"""A request as an operation makes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ._redaction import one_line
from ._values import FileTypes


class Request(NamedTuple):
    """A request, complete but for the server and the credentials.

    Attributes:
        operation: The operation as `tag.name`.
        arguments: The arguments of the call, by their names in the contract.
        required: The arguments that identify the call in a message.
        repeats: Member of a reply, the argument that it repeats, and how they compare.
        route: The path as the contract writes it.
        path: The path below the base path, percent-encoded.
        query: The query, percent-encoded.
        server: The URL of the server as the contract writes it, if the operation has its own.
        security: The ways to authorize the call, each as names of security schemes that are used
            together. None of them if the call needs no credentials.
    """

    operation: str
    method: str
    route: str
    path: str
    arguments: Mapping[str, Any] = {}
    required: tuple[str, ...] = ()
    repeats: tuple[tuple[str, str, str], ...] = ()
    query: str = ""
    headers: Mapping[str, str] = {}
    content: bytes | str | None = None
    content_type: str | None = None
    files: list[tuple[str, FileTypes]] | None = None
    accept: str = "application/json"
    server: str = ""
    security: tuple[tuple[str, ...], ...] = ()

    @property
    def call(self) -> str:
        """The call in words: the operation and its required arguments."""
        arguments = (
            f"{name}={one_line(repr(self.arguments[name]), 40)}"
            for name in self.required
            if name in self.arguments
        )
        return f"{self.operation}({', '.join(arguments)})"

    @property
    def context(self) -> dict[str, Any]:
        """The part of an error that describes the request."""
        return {"operation": self.operation, "arguments": self.arguments}

    @property
    def is_safe(self) -> bool:
        """Whether the method changes nothing. Source: RFC 9110, 9.2.1."""
        return self.method in ("GET", "HEAD", "OPTIONS", "TRACE")

    @property
    def is_idempotent(self) -> bool:
        """Whether a repeat has no further effect. Source: RFC 9110, 9.2.2."""
        return self.is_safe or self.method in ("PUT", "DELETE")

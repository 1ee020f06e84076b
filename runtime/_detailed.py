"""A documented reply, as the `_detailed` functions return it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from attrs import frozen

from ._reply import Reply

T = TypeVar("T")


@frozen(kw_only=True)
class Response(Generic[T]):
    """A documented reply, decoded."""

    status_code: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """The headers, names in lower case."""
    content: bytes
    """The body as it arrived."""
    parsed: T
    """The model that the contract names for `status_code`."""

    @classmethod
    def of(cls, reply: Reply, parsed: T) -> Response[T]:
        """Make the response from a reply and its decoded body."""
        return cls(
            status_code=reply.status_code,
            headers=reply.headers,
            content=reply.content,
            parsed=parsed,
        )

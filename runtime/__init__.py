"""Typed client of the SignalWire Compatibility API."""

from typing import TYPE_CHECKING

from ._contract import VERSION
from ._errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    SignalWireError,
    UnprocessableEntityError,
)
from ._values import UNSET, Unset

if TYPE_CHECKING:
    from . import api as api
    from . import models as models
    from . import types as types
    from ._look_up import Look
    from ._rest_client import AsyncRestClient, RestClient
else:
    from ._lazy_imports import lazy_names

    # The clients import httpx: a program that only names an exception need not wait for it.
    __getattr__, _lazy_dir = lazy_names(
        __name__,
        {
            "AsyncRestClient": "_rest_client",
            "Look": "_look_up",
            "RestClient": "_rest_client",
            "api": "api",
            "models": "models",
            "types": "types",
        },
    )

    def __dir__() -> list[str]:
        return sorted({*__all__, *_lazy_dir()})


__version__ = VERSION

__all__ = [
    "UNSET",
    "APIConnectionError",
    "APIResponseError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncRestClient",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "InvalidRequestError",
    "Look",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "RestClient",
    "ServerError",
    "SignalWireError",
    "UnprocessableEntityError",
    "Unset",
]

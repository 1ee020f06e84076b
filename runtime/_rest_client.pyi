"""The clients as `make generate` writes them, with the credentials of the contract."""

from typing import Any

from ._client import AsyncClient, SyncClient
from .api import AsyncCompat, Compat

class RestClient(SyncClient):
    def __init__(self, **settings: Any) -> None: ...
    @property
    def compat(self) -> Compat: ...

class AsyncRestClient(AsyncClient):
    def __init__(self, **settings: Any) -> None: ...
    @property
    def compat(self) -> AsyncCompat: ...

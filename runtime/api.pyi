"""What `make generate` writes into `api/`: the operations of the contract, by tag."""

from ._rest_client import AsyncRestClient, RestClient

class Compat:
    def __init__(self, client: RestClient) -> None: ...

class AsyncCompat:
    def __init__(self, client: AsyncRestClient) -> None: ...

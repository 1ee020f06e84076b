"""The mock of the document, and the client that is connected to it."""

from collections.abc import Iterator

import pytest
from signalwire_compat_mock import MockServer

from signalwire_compat_fuzz.client_calls import Caller
from signalwire_compat_fuzz.options import SPEC
from signalwire_compat_fuzz.settings import PROJECT, TOKEN


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(SPEC, forgetful=True, allow_import=True) as mock:
        yield mock


@pytest.fixture(scope="module")
def caller(server: MockServer) -> Iterator[Caller]:
    with Caller(PROJECT, TOKEN, server.url) as made:
        yield made

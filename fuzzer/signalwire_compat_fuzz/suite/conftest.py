"""The mock of the document, and the client that is connected to it."""

from collections.abc import Iterator

import pytest
from signalwire_compat_mock import MockServer

from signalwire_compat_fuzz.client_calls import Caller
from signalwire_compat_fuzz.credentials import PROJECT, TOKEN
from signalwire_compat_fuzz.options import URL, spec_file


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(spec_file(), token=TOKEN, forgetful=True, allow_import=True) as mock:
        yield mock


@pytest.fixture(scope="module")
def caller(server: MockServer) -> Iterator[Caller]:
    # A server that is not a mock may ask for a retry, and each request is looked at.
    with Caller(PROJECT, TOKEN, server.url, max_retries=0 if URL else 2) as made:
        yield made

"""Fixtures of the tests of the mock server: one server for a module, reset before each test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from signalwire_compat_mock import MockServer

from tests.mock.helpers import Send, Serve, changed_spec, sender


@pytest.fixture(scope="module")
def shared() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture
def mock(shared: MockServer) -> MockServer:
    shared.reset()
    return shared


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture
def send(mock: MockServer, http: httpx.Client) -> Send:
    return sender(mock, http)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a mock of a copy of the spec, changed by a function."""
    servers = []

    def start(change: Callable[[dict[str, Any]], None]) -> MockServer:
        servers.append(MockServer(changed_spec(tmp_path, change)).start())
        return servers[-1]

    yield start
    for server in servers:
        server.close()

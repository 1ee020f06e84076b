"""Fixtures of the tests of the mock server: one server for a module, reset before each test."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from signalwire_compat_mock import MockServer

from tests.mock.helpers import Change, Send, Serve, changed_spec


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
    return Send(mock, http)


@pytest.fixture
def serve(tmp_path: Path, http: httpx.Client) -> Iterator[Serve]:
    """Start another mock, of a copy of the spec that a function changes."""
    with ExitStack() as started:

        def start(change: Change = lambda _: None, **settings: Any) -> Send:
            server = MockServer(changed_spec(tmp_path, change), **settings)
            return Send(started.enter_context(server), http)

        yield start

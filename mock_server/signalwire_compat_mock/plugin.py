"""A pytest plugin with the fixture `signalwire_mock`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .server import MockServer


@pytest.fixture
def signalwire_mock(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockServer]:
    """Start a mock of the SignalWire Compatibility API for one test, on a free local port.

    During the test, SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN and SIGNALWIRE_SPACE point to it,
    so code that reads its settings from there needs no change. `inject` adds faults, `journal`
    lists the requests, `phone_numbers()` the numbers bought, and `advance` moves the clock. A fault
    that was injected but did not happen fails the test.
    """
    # Imported late: pytest loads plugins in every run, even without a mock.
    from .server import MockServer

    with MockServer() as mock:
        for name, value in mock.environment.items():
            monkeypatch.setenv(name, value)
        yield mock
        pending = mock.pending_faults
    if pending:
        faults = "; ".join(map(str, pending))
        pytest.fail(f"injected faults did not happen: {faults}", pytrace=False)

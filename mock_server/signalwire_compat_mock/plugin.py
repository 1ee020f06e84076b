"""A pytest plugin: the fixture `signalwire_mock`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .server import MockServer


@pytest.fixture
def signalwire_mock(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockServer]:
    """Give a test a mock of the SignalWire Compatibility API, for itself alone.

    It listens on a free port of 127.0.0.1. While the test runs, SIGNALWIRE_PROJECT_ID,
    SIGNALWIRE_API_TOKEN and SIGNALWIRE_SPACE name it, so that code which takes its settings from
    there needs no change. `inject` lets faults happen, `journal` holds what was on the wire,
    `phone_numbers()` what was bought. A fault that was asked for and did not happen fails the test.
    """
    # Imported here: a plugin is loaded in every run of pytest, whether it needs a mock or not.
    from .server import MockServer

    with MockServer() as mock:
        for name, value in mock.environment.items():
            monkeypatch.setenv(name, value)
        yield mock
        pending = mock.pending_faults
    if pending:
        faults = "; ".join(map(str, pending))
        pytest.fail(f"no request came for the faults that were asked for: {faults}", pytrace=False)

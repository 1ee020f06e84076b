"""A pytest plugin with the fixture `signalwire_mock`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .server import MockServer


_SCOPES = ("function", "class", "module", "package", "session")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting of the fixture's scope."""
    what = f"how long a mock of the fixture signalwire_mock lives: {', '.join(_SCOPES)}"
    parser.addini("signalwire_mock_scope", what, default="function")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse another scope here: pytest itself would end with an internal error."""
    scope = config.getini("signalwire_mock_scope")
    if scope not in _SCOPES:
        known = ", ".join(_SCOPES)
        raise pytest.UsageError(f"signalwire_mock_scope is {scope!r}. It can be {known}.")


def _scope(fixture_name: str, config: pytest.Config) -> Any:
    return config.getini(f"{fixture_name}_scope")


@pytest.fixture(scope=_scope)
def signalwire_mock(request: pytest.FixtureRequest) -> Iterator[MockServer]:
    """Start a mock of the SignalWire Compatibility API for one test, on a free local port.

    The setting `signalwire_mock_scope` lets it live for a module or the session. As long as it
    lives, SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN and SIGNALWIRE_SPACE point to it,
    so code that reads its settings from there needs no change. `inject` adds faults, `journal`
    lists the requests, `phone_numbers()` the numbers bought, and `advance` moves the clock. A fault
    that was injected but did not happen fails the test, or the last one that used the mock.
    """
    # Imported late: pytest loads plugins in every run, even without a mock.
    from .server import MockServer

    with ExitStack() as stack, MockServer() as mock:
        if request.scope == "function":  # The test may change the same variables with its patch.
            patch = request.getfixturevalue("monkeypatch")
        else:
            patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in mock.environment.items():
            patch.setenv(name, value)
        yield mock
        pending = mock.pending_faults
    if pending:
        faults = "; ".join(map(str, pending))
        pytest.fail(f"injected faults did not happen: {faults}", pytrace=False)

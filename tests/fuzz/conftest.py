"""Servers and callers for the runs, and the report of what they did."""

import os
import time
from collections.abc import Generator, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT

from . import reporting
from .client_calls import Caller
from .contract_coverage import COVERAGE


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    # The journal is counted.
    with MockServer(
        forgetful=True, allow_import=True, journal_entries=10**9, journal_bytes=10**12
    ) as mock:
        yield mock


@pytest.fixture(scope="module")
def caller(server: MockServer) -> Iterator[Caller]:
    with Caller(PROJECT, DEFAULT_TOKEN, server.url) as made:
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.user_properties.append(("name", item.name))
    if os.environ.get("FUZZ_REPORT"):
        # The part that takes longest begins first: no other process waits for it in the end. Then
        # come those that find most in least time.
        items.sort(key=lambda i: (i.path.stem != "test_direct", type(i).__name__))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    name = item.path.stem.removeprefix("test_")
    progress = reporting.current = reporting.Progress(item.name, run=name)
    start = time.monotonic()
    try:
        result = yield
    finally:
        progress.seconds = round(time.monotonic() - start, 3)
        item.user_properties += asdict(progress).items()
    if progress.cases == 0:
        pytest.fail("not one case was tried")
    return result


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and os.environ.get("FUZZ_REPORT"):
        config.pluginmanager.register(reporting.Reporter(config), "fuzz-report")


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["coverage"] = COVERAGE.export()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    COVERAGE.merge(getattr(node, "workeroutput", {}).get("coverage", []))

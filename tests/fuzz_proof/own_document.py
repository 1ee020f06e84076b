"""A plugin of pytest with which the mock serves its own document, not the changed one."""

from typing import Any

from signalwire_compat_mock import MockServer

_initialize = MockServer.__init__


def _with_own_document(self: MockServer, spec: object = None, **options: Any) -> None:
    _initialize(self, **options)


def pytest_load_initial_conftests() -> None:
    MockServer.__init__ = _with_own_document  # type: ignore[method-assign]

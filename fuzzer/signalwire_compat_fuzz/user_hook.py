"""The hook of the user: `around_case(case)`, a context manager, of the module named by `hooks`."""

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .options import setting

_MODULE: Any = importlib.import_module(setting("hooks")) if setting("hooks") else None
_AROUND: Callable[[Any], AbstractContextManager[Any]] = getattr(_MODULE, "around_case", nullcontext)


def around_case(case: Any) -> AbstractContextManager[Any]:
    """Return what sets up and cleans up around one request of a case."""
    return _AROUND(case)

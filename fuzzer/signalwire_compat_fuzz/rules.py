"""The rules of the server that no schema says, from the module that the setting `rules` names."""

import importlib
from typing import Any

from .document import AnyCase
from .options import RULES

_MODULE: Any = importlib.import_module(RULES) if RULES else None


def broken_rules(case: AnyCase) -> dict[str, int]:
    """Return the code of the refusal by the parameter that breaks a rule; none if none does."""
    found: dict[str, int] = _MODULE.broken_rules(case) if _MODULE else {}
    return found

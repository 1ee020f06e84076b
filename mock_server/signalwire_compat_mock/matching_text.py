"""Finds text for a pattern, with hypothesis if that is installed: the extra `patterns`."""

import re
from collections.abc import Callable


def matching_text(pattern: str, fits: Callable[[str], bool]) -> str | None:
    """Find a text that matches a pattern and fits, the same each time; None if there is none."""
    try:
        from hypothesis import HealthCheck, Phase, find, settings
        from hypothesis.errors import HypothesisException
        from hypothesis.strategies import from_regex
    except ImportError:
        return None
    quick = settings(
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(from_regex(re.compile(pattern, re.ASCII)), fits, settings=quick)
    except (HypothesisException, re.error):
        return None

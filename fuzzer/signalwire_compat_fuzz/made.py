"""What a server made in this run: the operations that come later name it in their paths."""

import re
from typing import Any

from schemathesis import Response

from . import document as doc
from .case_sources import Operation
from .document import AnyCase
from .near_valid import changed

_MADE: dict[str, dict[str, Any]] = {}
"""What the last success of a POST to each path said, with the parameters of that path."""


def keep(case: AnyCase, response: Response) -> None:
    said = doc.typed(response.content)
    if case.method.upper() == "POST" and response.status_code < 300 and isinstance(said, dict):
        _MADE[case.operation.path] = {**said, **case.path_parameters}


def naming_it(operation: Operation, cases: list[AnyCase]) -> list[AnyCase]:
    """Let cases name what was made, in place of what the first of them names.

    The examples of the document stay.
    """
    path, first = operation.path, cases[0]
    above = [path[: found.start()] for found in re.finditer("/{", path)]
    made = next((_MADE[one] for one in reversed(above) if one in _MADE), {})
    found = {name: _value(made, name) for name in first.path_parameters}
    other = {n: v for n, v in found.items() if v and n not in doc.path_examples(first)}

    def with_other(case: AnyCase) -> AnyCase:
        given, usual = case.path_parameters, first.path_parameters
        known = {n: v for n, v in other.items() if given[n] == usual[n]}
        return changed(case, path_parameters={**given, **known}) if known else case

    return [*map(with_other, cases)]


def _value(made: dict[str, Any], name: str) -> str | int | None:
    """Return the member that a parameter is called after: `id` for `order_id`, if no other is."""
    plain = {other.replace("_", "").lower(): value for other, value in made.items()}
    ends = [other for other in plain if name.replace("_", "").lower().endswith(other)]
    value = plain[max(ends, key=len)] if ends else None
    return value if isinstance(value, str | int) else None

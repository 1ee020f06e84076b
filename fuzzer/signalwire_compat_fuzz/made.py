"""What a server made in this run: the operations that come later name it in their paths."""

import re
from typing import Any

from schemathesis import Response

from . import document as doc
from .case_sources import Operation
from .document import AnyCase
from .near_valid import changed

_MADE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
"""For each path, of the last POST that succeeded: the parameters of the path, and the reply."""


def keep(case: AnyCase, response: Response) -> None:
    if case.method.upper() != "POST" or not 200 <= response.status_code < 300:
        return
    if isinstance(said := doc.typed(response.content), dict):
        _MADE[case.operation.path.rstrip("/")] = (case.path_parameters, said)


def naming_what_was_made(operation: Operation, cases: list[AnyCase]) -> list[AnyCase]:
    """Put the name of what was made into the paths of cases.

    It takes the place of the value of the first case; an example of the document stays.
    """
    first, examples = cases[0], doc.path_examples(cases[0])
    names = {n: v for n, v in _names(operation.path).items() if n not in examples}

    def with_names(case: AnyCase) -> AnyCase:
        given, usual = case.path_parameters, first.path_parameters
        other = {n: v for n, v in names.items() if given.get(n) == usual.get(n)}
        return changed(case, path_parameters={**given, **other}) if other else case

    return [*map(with_names, cases)]


def _names(path: str) -> dict[str, Any]:
    """Return the parameters of a path that name what the nearest POST above it made."""
    for found in reversed([*re.finditer("/{([^}]+)}", path)]):
        if made := _MADE.get(path[: found.start()]):
            above, said = made
            value = _value(said, found[1])
            return above if value in (None, "") else {**above, found[1]: value}
    return {}


def _value(said: dict[str, Any], name: str) -> str | int | None:
    """Return the member that a parameter is called after: `order_id` if there is one, else `id`."""
    plain = {doc.plain_name(other): value for other, value in said.items()}
    ends = [other for other in plain if doc.plain_name(name).endswith(other)]
    value = plain[max(ends, key=len)] if ends else None
    return value if type(value) in (str, int) else None

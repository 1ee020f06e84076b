"""All rows of the table, in the order in which they are shown."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from ..table import Fault
from . import body, framing, keep_alive, network, redirect, retry, size, status

GROUPS = {
    "network": (network.__doc__, network.FAULTS),
    "framing": (framing.__doc__, framing.FAULTS),
    "body": (body.__doc__, body.FAULTS),
    "status": (status.__doc__, status.FAULTS),
    "redirect": (redirect.__doc__, redirect.FAULTS),
    "keep-alive": (keep_alive.__doc__, keep_alive.FAULTS),
    "size": (size.__doc__, size.FAULTS),
    "retry": (retry.__doc__, retry.FAULTS),
}
FAULTS: tuple[Fault, ...] = tuple(replace(fault, group=group) for group, (_, faults) in GROUPS.items() for fault in faults)
BY_NAME = {fault.name: fault for fault in FAULTS}


def _kind(fault: Fault) -> tuple[object, ...]:
    promise = fault.promise
    promised = (promise.kind, promise.outcome_unknown, bool(promise.sid), bool(promise.drift))
    cost = (fault.executed, fault.requests, fault.at_least_seconds > 0, fault.memory_bytes is not None)
    return (fault.group, fault.connect, fault.before > 0, *promised, *cost)


ONE_OF_EACH_KIND = {fault.name for fault in {_kind(fault): fault for fault in reversed(FAULTS)}.values()}
"""The first row of each kind: the same group, connection, promise and cost."""


def as_parameters(names: Iterable[str]) -> list[object]:
    """Give rows as parameters of a test: `make test` plays one row of each kind, `make test-all` plays all."""
    return [pytest.param(name, marks=() if name in ONE_OF_EACH_KIND else pytest.mark.slow) for name in sorted(names)]

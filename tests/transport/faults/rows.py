"""All rows of the table, in the order in which they are shown."""

from __future__ import annotations

from dataclasses import replace

from . import body, framing, keep_alive, network, redirect, retry, size, status
from .table import Fault

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
FAULTS: tuple[Fault, ...] = tuple(
    replace(fault, group=group) for group, (_, faults) in GROUPS.items() for fault in faults
)
BY_NAME = {fault.name: fault for fault in FAULTS}

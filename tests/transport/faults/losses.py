"""Compares what callers were told with what a server executed, number by number."""

from __future__ import annotations

from collections.abc import Mapping

from signalwire_compat import SignalWireError
from signalwire_compat.models import IncomingPhoneNumber

from tests.transport.fault_server import FaultServer

Result = IncomingPhoneNumber | Exception


def losses(server: FaultServer, results: Mapping[str, Result]) -> list[str]:
    """Say of each number what is wrong with it: lost, doubled, or that of somebody else."""
    wrong = [f"{number} was never asked for" for number in server.executed.keys() - results.keys()]
    for number, result in results.items():
        executed = server.executed[number]
        if executed > 1:
            wrong.append(f"{number} was executed {executed} times")
        if isinstance(result, IncomingPhoneNumber):
            if not executed:
                wrong.append(f"{number} was reported as bought, and never executed")
            if result.phone_number != number:
                wrong.append(f"{number} was asked for, and {result.phone_number} returned")
        elif not isinstance(result, SignalWireError):
            wrong.append(f"{number} ended in {result!r}, not in an error of the package")
        elif executed and not result.outcome_unknown:
            wrong.append(f"{number} was executed, and reported as not bought: {result}")
    return wrong


def bought_or_unknown(results: Mapping[str, Result]) -> int:
    """Count the numbers that were reported as bought or as possibly bought."""
    return sum(
        isinstance(result, IncomingPhoneNumber) or getattr(result, "outcome_unknown", False)
        for result in results.values()
    )

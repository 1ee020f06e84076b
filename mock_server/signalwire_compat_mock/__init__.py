"""A mock of the SignalWire Compatibility API that openapi.yaml drives.

What it does not imitate: rate limits, balances, trial limits, releasing a number, webhooks.
Assumed, as no page of the provider says it: any UUID is a project; the first project that names
an account owns it; a number that is sold already is refused with status 422 and code 10000.
"""

from .document import SpecError
from .faults import Fault, FaultError
from .journal import Exchange
from .server import DEFAULT_PROJECT, DEFAULT_TOKEN, MockServer

__all__ = [
    "DEFAULT_PROJECT",
    "DEFAULT_TOKEN",
    "Exchange",
    "Fault",
    "FaultError",
    "MockServer",
    "SpecError",
]

"""A mock of the SignalWire Compatibility API, driven by openapi.yaml.

Not imitated: rate limits, balances, trial limits, releasing a number, webhooks.
Assumed, because the provider does not document it: any UUID is a project; the first project that
uses an account owns it; a number that is already sold is refused with status 422 and code 10000.
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

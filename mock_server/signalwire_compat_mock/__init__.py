"""A mock of the SignalWire Compatibility API, driven by openapi.yaml. Its README has the limits."""

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

"""The mock, and the client that is connected to it."""

from signalwire_compat_fuzz.suite.conftest import caller, server

__all__ = ["caller", "server"]

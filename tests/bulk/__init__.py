"""The command `signalwire-compat bulk`."""

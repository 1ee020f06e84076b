"""The command `signalwire-compat`."""

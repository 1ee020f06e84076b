"""Tests of a client: `signalwire-compat-fuzz --client PACKAGE` runs them."""

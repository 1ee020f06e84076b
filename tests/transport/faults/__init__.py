"""Faults of servers and networks: a table of them, and what runs each against both clients."""

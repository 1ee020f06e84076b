"""Bugs to plant, one at a time, to see that `make fuzz` finds each of them."""

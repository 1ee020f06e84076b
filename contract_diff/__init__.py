"""Compares two versions of the contract, and says what the change means for callers."""

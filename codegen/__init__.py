"""Reads openapi.yaml, checks it, and writes the client package from it."""

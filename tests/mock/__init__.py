"""Tests of mock."""

"""What the Makefile runs besides generation and comparison."""

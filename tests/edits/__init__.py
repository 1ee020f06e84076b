"""One table of edits of the contract: what `make diff` says of each, and code that then works."""

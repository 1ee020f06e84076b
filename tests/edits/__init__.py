"""Small edits of the contract: what each means for callers, and how the new package is called."""

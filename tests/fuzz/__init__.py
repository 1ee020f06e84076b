"""Contract fuzzing: client, openapi.yaml and mock server agree on requests that nobody wrote."""

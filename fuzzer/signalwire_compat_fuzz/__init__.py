"""Contract fuzzing of a server, or of a generated client, against an OpenAPI document."""

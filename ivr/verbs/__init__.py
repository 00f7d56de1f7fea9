"""The verbs a flow may use, one per file."""

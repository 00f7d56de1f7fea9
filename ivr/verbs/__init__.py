"""The verbs a flow may use, one per file: the node's values, how it is read, what it does."""

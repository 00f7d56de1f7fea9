"""What the node measures of itself, as Prometheus reads it.

Nothing is updated on the path of a call: every part counts for itself in plain integers, and the
collector asks all of them when somebody scrapes. Owns names, labels and help texts; imports no web
framework.
"""

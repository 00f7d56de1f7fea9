"""Outbound in the store: campaigns, lists, attempts, and who must not be called."""

"""The registrar (RFC 3261 section 10): bindings, their expiry, and who may store them."""

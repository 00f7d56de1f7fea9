"""SIP (RFC 3261) without I/O: messages, transactions, dialogs, sessions, digest.

Pure: time arrives as `now` in monotonic seconds, identifiers come from an injected callable.
"""

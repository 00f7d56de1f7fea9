"""A real SIP user agent in a child process, driven over JSON lines.

The desk's phone, the simulated callers of the demo and the user agents of the tests.
"""

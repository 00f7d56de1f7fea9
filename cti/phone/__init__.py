"""A real SIP user agent in a child process, driven over JSON lines.

The desk's phone, the simulated callers of the demo and the user agents of the tests. `client` is
the parent's side, `child` the process, `protocol` the lines between them; `baresip` and `pjsua2`
are the two user agents. This package imports nothing of the rest of the product.
"""

"""Signatures of callers' numbers: STIR/SHAKEN (RFC 8224, RFC 8225, RFC 8226, RFC 8588).

Pure but for the cryptography: octets and the time go in, verdicts and headers come out. Nothing here
fetches anything: certificates are put into the store by whoever may. Imports nothing of the switch.
"""

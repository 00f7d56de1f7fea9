"""Encrypted sound: SRTP in the compiled loops, DTLS and ICE-lite beside them. Knows no SIP and no SDP."""

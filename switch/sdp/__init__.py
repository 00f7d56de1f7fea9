"""SDP descriptions and offer/answer (RFC 3264), without I/O."""

"""The softswitch: signalling, media and calls.

Owns SIP, SDP, RTP, the media gateway and the B2BUA. Imports nothing of the packages above it.
"""

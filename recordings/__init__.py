"""Recorded calls: capture in crash-safe files, recovery after a crash, index entries, playback.

Implements the sink of the media engine (`switch.media.ports`) and never imports the packages above.
"""

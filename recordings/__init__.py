"""Recorded calls: capture in crash-safe segments, index entries, playback.

Knows the tap protocol of the media engine; never imports the packages above it.
"""

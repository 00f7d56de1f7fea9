"""Prompt audio: what is shipped, and how it is rendered from text ahead of time.

A prompt is `<folder>/<language>/<name>.ulaw`: raw mu-law octets, 8 kHz, mono. The speech engines are
needed only for rendering and are imported only then.
"""

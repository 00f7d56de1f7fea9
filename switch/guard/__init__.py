"""The guard: who sends too much or does wrong, and what becomes of them.

Pure: addresses are text, time is passed in. It knows nothing of SIP; the layers above tell it what a
source did. Imports nothing of the other packages.
"""

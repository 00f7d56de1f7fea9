"""How many to dial now: the pacer of predictive and progressive campaigns.

Pure: no clock, no I/O, no randomness. The rehearsal (`acd.simulation`) runs the same compiled
functions as the dialer. `docs/pacing.md` explains the rule.
"""

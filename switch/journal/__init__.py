"""The journal: what a restarted call agent must know to go on with its calls, as a file of records.

Knows nothing of what the records mean; imports nothing of the rest of the switch.
"""

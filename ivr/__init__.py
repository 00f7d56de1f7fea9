"""Menus and prompts: flows in YAML, the pure interpreter, verbs, prompt audio.

Returns outcomes (`ToQueue`, `ToNumber`, ...); what becomes of them is decided above. A flow's way:
`loader` reads the file, `interpreter` decides step by step, `runner` carries it out on a leg.
"""

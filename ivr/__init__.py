"""Menus and prompts: flows in YAML, the pure interpreter, verbs, prompt audio.

Returns outcomes (`Enqueue`, `Transfer`, ...); what becomes of them is decided above.
"""

"""Trunks and the number plan: where a dialled number leads and who may dial it.

Pure: settings come in, decisions go out. Imports nothing of `switch.calls`.
"""

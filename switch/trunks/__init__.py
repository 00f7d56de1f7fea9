"""Trunks and the number plan: where a dialled number leads and who may dial it."""

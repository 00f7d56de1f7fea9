"""The media engine: whole-switch frames as numpy arrays, one gain matrix, one tick."""

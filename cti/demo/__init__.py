"""The whole product in one terminal, with simulated callers."""

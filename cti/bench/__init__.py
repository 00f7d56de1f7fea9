"""The load generator and the measurements of `switchroom bench`."""

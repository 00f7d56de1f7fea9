"""The B2BUA: legs, calls, bridges. The only place where signalling and media meet."""

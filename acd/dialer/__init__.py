"""Outbound: campaigns that dial lists of people, and keep what they promise."""

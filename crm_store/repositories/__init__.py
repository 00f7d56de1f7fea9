"""Queries and commands over the tables."""

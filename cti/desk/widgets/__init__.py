"""Widgets that desk and wallboard share, one a file."""

"""Widgets that both screens use."""

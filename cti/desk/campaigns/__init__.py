"""The supervisor's screens of campaigns: how they do, why nothing dials, and what can be changed."""

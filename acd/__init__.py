"""Automatic call distribution: agents, queues, contacts and who gets whom.

The core is pure: inputs and the time go in, actions and events come out.
"""

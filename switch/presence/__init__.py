"""Who watches whom: subscriptions and their notifications, published states, short messages.

Pure: requests and the time go in, responses and requests come out. Knows phones by their numbers and
nothing of calls, agents or contacts: what happens to a phone is told to `states.States` by those who
know. Imports nothing of `switch.calls`.
"""

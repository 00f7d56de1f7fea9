"""Looking at signalling: what passed is sent to a capture server, or kept to be drawn.

Observers of `switch.transport.pump.Pump`: each message is shown to them as octets with its flow. None of
them changes anything, waits for anything or parses a message on the path of a call.
"""

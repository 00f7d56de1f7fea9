"""Campaigns beside the calls: what brings records to the dialer and takes attempts to the store.

`service` puts it together; `desk` is what the API speaks to. Nothing here is on the path of a call: the
dialer (`acd.dialer`) is told and asked at once, the store when it has time.
"""

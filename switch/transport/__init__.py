"""The asyncio shells of SIP: UDP and TCP sockets around the pure endpoint."""

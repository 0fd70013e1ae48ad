"""The delivery of a run to clients while it runs: one core for NDJSON, Server-Sent Events and WebSocket.

A run's final messages become events (`envelope`), which wait in a log (`eventlog`) until a connection (`connection`) has sent
them; what was sent is kept for a client that comes back. `live` is the run behind it, `hub` knows all of them.
"""

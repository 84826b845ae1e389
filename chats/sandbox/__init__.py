"""A stand-in for v0: a real HTTP server with an agent, a database file and faults of its own.

Owns what v0 would: chats, messages, runs, files, usage and the wire they travel on. Relies on the
standard library, Starlette, uvicorn and `chats.v0api.types`, and never on Django or on the rest
of this application, so that nothing here can agree with the client by accident.
"""

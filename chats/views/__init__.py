"""One module per page or thing a person acts on.

Owns requests and responses. Relies on permissions for every object, and never talks to v0: it
writes what a person wants and wakes the relay.
"""

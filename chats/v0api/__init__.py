"""A typed client of the v0 Platform API, v2.

Owns everything that is said to v0 and how its answers are read. Relies on the standard library,
httpx and httpcore, and never on Django or on anything else of ours.

    client      all of it: chats, messages, files, vercel, mcp_servers, settings, usage, webhooks
    calls       the way that each of them takes: transport, network, secrecy, answers, paging
    requests    what is asked in words: limits, tasks, revisions
    stream      what comes in events: event_stream, sse, deltas
    types       what comes back: wire, pending; the answers of a resource are beside its operations
    errors      what goes wrong
"""

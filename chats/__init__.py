"""The chat application: v0's client, the run of an answer, who may see it, and its pages.

Each package below says in its first paragraph what it owns. Nothing is imported here, so that
`chats.v0api` and `chats.sandbox` stay usable without Django.
"""

"""The server by itself, over TCP, with a small application behind it."""

"""Wiring only: settings, URLs, the ASGI application and the entry point around Daphne."""

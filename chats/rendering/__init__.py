"""From values to what a browser shows: parts to nodes, Markdown to safe HTML, operations to frames.

Owns every sentence of HTML that differs from message to message; the same code serves the page and
the frames. Relies on Django's templates, `v0api.types` and `live`, and never reads the database.
"""

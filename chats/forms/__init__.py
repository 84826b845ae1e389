"""What people may type into forms, checked.

Owns limits and error sentences of input. Relies on models, permissions and `v0api.types`.
"""

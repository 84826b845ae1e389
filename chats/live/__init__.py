"""What the readers of one chat see, as immutable values, and the difference between two of them.

Owns the tree (`state`), its HTML (`html`), the difference and its application. Relies on the
standard library alone, does no I/O, and never learns who is reading.
"""

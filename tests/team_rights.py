"""Who may do what to a team, written by hand: a row for each thing, a column for each role.

`+` may · `3` sees the team and may not · `4` it does not exist for them. Columns: owner, admin, member,
viewer, somebody of another team, a member who is deactivated.
"""

from __future__ import annotations

COLUMNS = ("owner", "admin", "member", "viewer", "stranger", "deactivated")
TEAM_TABLE = """
SEE         + + + + 4 4
INVITE      + + 3 3 4 4
MANAGE      + + 3 3 4 4
CONFIGURE   + + 3 3 4 4
TAKE_OVER   + 3 3 3 4 4
HAND_OVER   + 3 3 3 4 4
DELETE      + 3 3 3 4 4
"""
# INVITE again, by the team's own setting.
INVITERS = """
owners      + 3 3 3 4 4
admins      + + 3 3 4 4
members     + + + 3 4 4
"""
# Which roles each role may give, take away and remove.
GIVING = """
owner       + + + +
admin       3 3 + +
member      3 3 + +
viewer      3 3 3 3
"""
# Whose membership each role may change or end, given by that one's role.
MANAGING = """
owner       + + + +
admin       3 3 + +
member      3 3 3 3
viewer      3 3 3 3
"""


def rows(table: str) -> dict[str, list[str]]:
    lines = (line.split() for line in table.strip().splitlines())
    return {name: marks for name, *marks in lines}

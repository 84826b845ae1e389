"""The table of design §5, written a second time and by hand, one line per person.

Columns: private, team, team-edit, unlisted, public.
`+` may · `3` sees the chat and may not (403) · `4` does not see it (404).
"""

from __future__ import annotations

LEVELS = ("private", "team", "team-edit", "unlisted", "public")

LIST = """
owner                      + + + + +
mate                       4 + + 4 3
team owner                 4 + + 4 3
team admin                 4 + + 4 3
team viewer                4 + + 4 3
invited reader             + + + + +
invited editor             + + + + +
stranger with link         4 4 4 3 3
stranger with old link     4 4 4 4 3
stranger                   4 4 4 4 3
mate who left              4 4 4 4 3
owner who left             4 4 4 4 3
deactivated owner          4 4 4 4 4
deactivated mate           4 4 4 4 4
admin                      4 4 4 4 3
superuser                  4 4 4 4 3
anonymous                  4 4 4 4 4
anonymous with link        4 4 4 4 4
reader                     4 4 4 4 3
reader with link           4 4 4 3 3
"""

READ = """
owner                      + + + + +
mate                       4 + + 4 +
team owner                 4 + + 4 +
team admin                 4 + + 4 +
team viewer                4 + + 4 +
invited reader             + + + + +
invited editor             + + + + +
stranger with link         4 4 4 + +
stranger with old link     4 4 4 4 +
stranger                   4 4 4 4 +
mate who left              4 4 4 4 +
owner who left             4 4 4 4 +
deactivated owner          4 4 4 4 4
deactivated mate           4 4 4 4 4
admin                      4 4 4 4 +
superuser                  4 4 4 4 +
anonymous                  4 4 4 4 4
anonymous with link        4 4 4 4 4
reader                     4 4 4 4 +
reader with link           4 4 4 + +
"""

DUPLICATE = """
owner                      + + + + +
mate                       4 + + 4 +
team owner                 4 + + 4 +
team admin                 4 + + 4 +
team viewer                4 3 3 4 +
invited reader             3 3 3 3 +
invited editor             + + + + +
stranger with link         4 4 4 + +
stranger with old link     4 4 4 4 +
stranger                   4 4 4 4 +
mate who left              4 4 4 4 +
owner who left             4 4 4 4 +
deactivated owner          4 4 4 4 4
deactivated mate           4 4 4 4 4
admin                      4 4 4 4 +
superuser                  4 4 4 4 +
anonymous                  4 4 4 4 4
anonymous with link        4 4 4 4 4
reader                     4 4 4 4 3
reader with link           4 4 4 3 3
"""

# Notes are between those who have the chat in a list.
NOTE = LIST

# The names of those who are here are for whoever is signed in; the number is a part of the page.
HERE = """
owner                      + + + + +
mate                       4 + + 4 +
team owner                 4 + + 4 +
team admin                 4 + + 4 +
team viewer                4 + + 4 +
invited reader             + + + + +
invited editor             + + + + +
stranger with link         4 4 4 + +
stranger with old link     4 4 4 4 +
stranger                   4 4 4 4 +
mate who left              4 4 4 4 +
owner who left             4 4 4 4 +
deactivated owner          4 4 4 4 4
deactivated mate           4 4 4 4 4
admin                      4 4 4 4 +
superuser                  4 4 4 4 +
anonymous                  4 4 4 4 4
anonymous with link        4 4 4 4 4
reader                     4 4 4 4 3
reader with link           4 4 4 3 3
"""


SEE_COST = """
owner                      + + + + +
mate                       4 + + 4 3
team owner                 4 + + 4 3
team admin                 4 + + 4 3
team viewer                4 3 3 4 3
invited reader             3 3 3 3 3
invited editor             + + + + +
stranger with link         4 4 4 3 3
stranger with old link     4 4 4 4 3
stranger                   4 4 4 4 3
mate who left              4 4 4 4 3
owner who left             4 4 4 4 3
deactivated owner          4 4 4 4 4
deactivated mate           4 4 4 4 4
admin                      4 4 4 4 3
superuser                  4 4 4 4 3
anonymous                  4 4 4 4 4
anonymous with link        4 4 4 4 4
reader                     4 4 4 4 3
reader with link           4 4 4 3 3
"""

EDIT = """
owner                      + + + + +
mate                       4 3 + 4 3
team owner                 4 3 + 4 3
team admin                 4 3 + 4 3
team viewer                4 3 3 4 3
invited reader             3 3 3 3 3
invited editor             + + + + +
stranger with link         4 4 4 3 3
stranger with old link     4 4 4 4 3
stranger                   4 4 4 4 3
mate who left              4 4 4 4 3
owner who left             4 4 4 4 3
deactivated owner          4 4 4 4 4
deactivated mate           4 4 4 4 4
admin                      4 4 4 4 3
superuser                  4 4 4 4 3
anonymous                  4 4 4 4 4
anonymous with link        4 4 4 4 4
reader                     4 4 4 4 3
reader with link           4 4 4 3 3
"""

OWN = """
owner                      + + + + +
mate                       4 3 3 4 3
team owner                 4 3 3 4 3
team admin                 4 3 3 4 3
team viewer                4 3 3 4 3
invited reader             3 3 3 3 3
invited editor             3 3 3 3 3
stranger with link         4 4 4 3 3
stranger with old link     4 4 4 4 3
stranger                   4 4 4 4 3
mate who left              4 4 4 4 3
owner who left             4 4 4 4 3
deactivated owner          4 4 4 4 4
deactivated mate           4 4 4 4 4
admin                      4 4 4 4 3
superuser                  4 4 4 4 3
anonymous                  4 4 4 4 4
anonymous with link        4 4 4 4 4
reader                     4 4 4 4 3
reader with link           4 4 4 3 3
"""

SET_PRIVATE = """
owner                      + + + + +
mate                       4 3 3 4 3
team owner                 4 + + 4 +
team admin                 4 + + 4 +
team viewer                4 3 3 4 3
invited reader             3 3 3 3 3
invited editor             3 3 3 3 3
stranger with link         4 4 4 3 3
stranger with old link     4 4 4 4 3
stranger                   4 4 4 4 3
mate who left              4 4 4 4 3
owner who left             4 4 4 4 3
deactivated owner          4 4 4 4 4
deactivated mate           4 4 4 4 4
admin                      4 4 4 4 3
superuser                  4 4 4 4 3
anonymous                  4 4 4 4 4
anonymous with link        4 4 4 4 4
reader                     4 4 4 4 3
reader with link           4 4 4 3 3
"""

# A superuser reads it for a reason that the owner sees; it is no action of the table's.
OPEN = """
owner                      3 3 3 3 3
mate                       4 3 3 4 3
team owner                 4 3 3 4 3
team admin                 4 3 3 4 3
team viewer                4 3 3 4 3
invited reader             3 3 3 3 3
invited editor             3 3 3 3 3
stranger with link         4 4 4 3 3
stranger with old link     4 4 4 4 3
stranger                   4 4 4 4 3
mate who left              4 4 4 4 3
owner who left             4 4 4 4 3
deactivated owner          4 4 4 4 4
deactivated mate           4 4 4 4 4
admin                      4 4 4 4 3
superuser                  + + + + +
anonymous                  4 4 4 4 4
anonymous with link        4 4 4 4 4
reader                     4 4 4 4 3
reader with link           4 4 4 3 3
"""

TABLES = {
    "LIST": LIST,
    "READ": READ,
    "DUPLICATE": DUPLICATE,
    "NOTE": NOTE,
    "SEE_COST": SEE_COST,
    "SEND": EDIT,
    "QUEUE": EDIT,
    "RENAME": EDIT,
    "GRANT": OWN,
    "SET_PRIVATE": SET_PRIVATE,
    "RESTORE": OWN,
    "MANAGE": OWN,
}

# "reader" is the anonymous visitor where an installation lets them read.
READING_ON = ("reader", "reader with link")


def expected(action: str) -> dict[str, dict[str, str]]:
    """For each person and level: "+", "3" or "4"."""
    rows = {}
    for line in (TABLES | {"OPEN": OPEN, "HERE": HERE})[action].strip().splitlines():
        who, cells = line[:26].strip(), line[26:].split()
        rows[who] = dict(zip(LEVELS, cells, strict=True))
    return rows


PEOPLE = tuple(expected("READ"))

"""Who may know how much of a limit is used: of their own, of a chat whose cost they see, of teams they administer.

Owns that one question, for limits that apply to whoever asks. Nobody is told of another's personal limit; staff
see those of the installation and of teams here, and all others in the admin area alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from chats.models import Limit, Person
from chats.models.budgets import Scope
from chats.permissions.table import TEAM_ADMIN_ROLES


def may_know(
    person: Person, limit: Limit, team_roles: Mapping[int, str], *, sees_cost: bool
) -> bool:
    """`team_roles` are the person's; `sees_cost`: of the chat that they write in."""
    match limit.scope:
        case Scope.PERSON:
            return limit.key == str(person.pk)
        case Scope.ROLE:
            return True
        case Scope.CHAT:
            return sees_cost
        case Scope.TEAM:
            return person.is_staff or team_roles.get(int(limit.key)) in TEAM_ADMIN_ROLES
        case _:
            return person.is_staff

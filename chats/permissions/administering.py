"""Who may act on whom in the admin area: staff on people who are no staff, a superuser on everybody, and
nobody on themselves.

Owns these rules and the look for a person by them. Relies on models; `administrator` says who gets in.
Gives no right to read: what staff see of chats are dates and counts.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from chats.models import Person
from chats.permissions import administrator


def may_administer(actor: Person, person: Person) -> bool:
    """Whether `actor` may end sessions, deactivate, reactivate and send mail. A deleted account is
    nobody's to act on."""
    if actor.pk == person.pk or not (actor.is_active and actor.is_staff) or person.deleted_at:
        return False
    return actor.is_superuser or not (person.is_staff or person.is_superuser)


def may_rank(actor: Person, person: Person) -> bool:
    """Whether `actor` may make somebody staff or superuser, or take that away."""
    return actor.is_superuser and may_administer(actor, person)


def somebody(request: HttpRequest, id: int) -> tuple[Person, Person]:
    """Who asks, and the person asked about; Http404 when the one is no staff or the other is nobody."""
    actor = administrator(request)
    found = Person.objects.filter(pk=id).first()
    if found is None:
        raise Http404
    return actor, found


def administered(request: HttpRequest, id: int) -> tuple[Person, Person]:
    """As `somebody`; PermissionDenied when the one may not act on the other."""
    actor, found = somebody(request, id)
    if not may_administer(actor, found):
        raise PermissionDenied
    return actor, found

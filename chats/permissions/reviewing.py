"""Whose usage somebody may look over: staff everybody's, team owners and admins that of their teams.

Owns that rule, for every page, list and export of the review alike. Relies on models alone. Gives no right
to read: which chats are named by their titles is `readable`'s to say, for staff too.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from chats.models import Entry, Membership, Person, Team
from chats.permissions import TEAM_ADMIN_ROLES, memberships


@dataclass(frozen=True, slots=True)
class Review:
    """`entries` are all that `person` may look over. `teams` are those they own or administer, whose usage it
    is; of staff they are none, and it is everybody's."""

    person: Person
    entries: QuerySet[Entry]
    teams: tuple[Team, ...] = ()

    @property
    def is_whole(self) -> bool:
        return not self.teams


def review_of(request: HttpRequest) -> Review:
    """Http404 for everybody else."""
    found = _review_of(request)
    if found is None:
        raise Http404
    return found


def may_review(request: HttpRequest) -> bool:
    """Whether a page leads there."""
    return _review_of(request) is not None


def still_reviews(review: Review) -> bool:
    """Whether what was begun for `review` may go on: asked again, of the database alone."""
    person = Person.objects.filter(pk=review.person.pk, is_active=True)
    if review.is_whole:
        return person.filter(is_staff=True).exists()
    held = Membership.objects.filter(person__in=person, role__in=TEAM_ADMIN_ROLES)
    return held.filter(team__in=review.teams).count() == len(review.teams)


def _review_of(request: HttpRequest) -> Review | None:
    person = request.user
    if not isinstance(person, Person) or not person.is_active:
        return None
    if person.is_staff:
        return Review(person, Entry.objects.all())
    held = [own.team for own in memberships(request) if own.role in TEAM_ADMIN_ROLES]
    entries = Entry.objects.filter(team__in=[team.pk for team in held])
    return Review(person, entries, tuple(held)) if held else None

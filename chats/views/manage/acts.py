"""What staff do to an account, each on a page that first says what will happen, and by a POST.

Owns the acts: their words, who may do them to whom, and the numbers that are told before. Relies on
`accounts.standing`, which asks for the right again in the transaction that changes something. Sockets
of whoever loses sessions are closed at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url

from chats import accounts, relay
from chats.accounts import recently, standing
from chats.accounts.factors import reset_second_factor
from chats.accounts.standing import Rank, Unchanged
from chats.models import Chat, Message, Person, Queued
from chats.models.messages import LIVE
from chats.permissions import administering
from chats.views.access import Request, form_methods, signed_in
from chats.views.manage import page

Right = Callable[[Person, Person], bool]
Do = Callable[[Request, Person, Person], None]


@dataclass(frozen=True, slots=True)
class Act:
    """`button` names it where it is offered and where it is done; `stands` says whether an account
    stands so that it can be; for what gives or takes protection whoever does it proves who they are."""

    button: str
    do: Do
    stands: Callable[[Person], bool] = lambda person: True
    right: Right = administering.may_administer
    is_danger: bool = False
    needs_proof: bool = False


RANKS = {
    Rank.PERSON: ("Person", "Uses v0web, and administers nothing."),
    Rank.STAFF: (
        "Staff",
        "Sees all usage, people, teams and chats as metadata; acts on people who are no staff.",
    ),
    Rank.SUPERUSER: (
        "Superuser",
        "As staff; also acts on staff, decides who is, and may open a chat after stating a reason.",
    ),
}


def _deactivate(request: Request, actor: Person, person: Person) -> None:
    standing.deactivate(person, actor=actor, address=accounts.address(request))


def _reactivate(request: Request, actor: Person, person: Person) -> None:
    standing.reactivate(person, actor=actor, address=accounts.address(request))


def _end_sessions(request: Request, actor: Person, person: Person) -> None:
    standing.end_sessions(person, actor=actor, address=accounts.address(request))


def _send_reset(request: Request, actor: Person, person: Person) -> None:
    standing.send_reset(request, person, actor=actor, address=accounts.address(request))


def _set_rank(request: Request, actor: Person, person: Person) -> None:
    wanted = Rank(request.POST.get("rank", ""))
    standing.set_rank(person, wanted, actor=actor, address=accounts.address(request))


def _reset_factor(request: Request, actor: Person, person: Person) -> None:
    reset_second_factor(request, person)


def _is_active(person: Person) -> bool:
    return person.is_active


def _is_inactive(person: Person) -> bool:
    return not person.is_active


def _may_be_mailed(person: Person) -> bool:
    return person.is_active and not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")


def _has_factor(person: Person) -> bool:
    return Authenticator.objects.filter(user=person).exists()


ACTS = {
    "reset": Act("Send a reset mail", _send_reset, _may_be_mailed),
    "sessions": Act("End all sessions", _end_sessions, _is_active),
    "factor": Act("Take away the second factor", _reset_factor, _has_factor, needs_proof=True),
    "rank": Act("Change rights", _set_rank, right=administering.may_rank, needs_proof=True),
    "deactivate": Act("Deactivate", _deactivate, _is_active, is_danger=True),
    "reactivate": Act("Reactivate", _reactivate, _is_inactive),
}


def offered(actor: Person, person: Person) -> list[tuple[str, Act]]:
    """What `actor` can do to `person` now, by the names in addresses."""
    found = ACTS.items()
    return [(name, act) for name, act in found if act.right(actor, person) and act.stands(person)]


@form_methods
@signed_in
def act(request: Request, person: Person, id: int, name: str) -> HttpResponse:
    actor, found = administering.administered(request, id)
    wanted = ACTS.get(name)
    if wanted is None:
        raise Http404
    if not wanted.right(actor, found):
        raise PermissionDenied
    if not wanted.stands(found):
        return back(found, "already")
    if wanted.needs_proof and not recently.is_recent(request):
        return recently.ask(request)
    if request.method != "POST":
        return _ask(request, found, name, wanted)
    try:
        wanted.do(request, actor, found)
    except Unchanged:
        return back(found, "already")
    except ValueError:
        return _ask(request, found, name, wanted, error="Choose one of the three.")
    relay.rights_changed()
    return back(found, name)


def back(person: Person, done: str) -> HttpResponse:
    place = resolve_url("manage_person", person.pk)
    return HttpResponseRedirect(f"{place}?done={done}", status=303)


def _ask(
    request: Request, person: Person, name: str, wanted: Act, *, error: str = ""
) -> HttpResponse:
    return page(
        request,
        "act",
        status=422 if error else 200,
        told=person,
        name=name,
        act=wanted,
        error=error,
        rank=standing.rank(person),
        ranks=[(str(rank), *words) for rank, words in RANKS.items()],
        counts=_counts(person) if name == "deactivate" else {},
        session_count=standing.open_sessions().filter(user=person).count(),
    )


def _counts(person: Person) -> dict[str, int]:
    """What of theirs goes on, and what does not."""
    chats = Chat.objects.filter(owner=person, deleted_at=None)
    running = Message.objects.filter(role="assistant", state__in=LIVE, intent__person=person)
    return {
        "running": running.count(),
        "queued": Queued.objects.filter(person=person).count(),
        "own": chats.filter(team=None).count(),
        "of_teams": chats.exclude(team=None).count(),
    }

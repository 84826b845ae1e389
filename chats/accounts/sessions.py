"""The sessions of people: how long they last, what is told of them, and their end.

Owns the two limits (idle, and in all), which are put into Django's own expiry so that pages, cookies and
sockets follow one date, and the row that allauth keeps for each session (browser, address, since, last
seen). A new password ends all others. Telling the relay that sessions ended is the caller's affair.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from allauth.account.adapter import get_adapter
from allauth.account.signals import password_changed, password_reset, password_set
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from chats.models import Person

SINCE, SEEN = "signed_in_at", "seen_at"
# A session that is in use is written down this often at most: pages only read otherwise.
SEEN_EVERY = 300
UNKNOWN = "0.0.0.0"  # noqa: S104 (no address that anything listens at)


@receiver(user_logged_in)
def begin(request: HttpRequest, user: Person, **_: object) -> None:
    """Somebody has just signed in: from now on the limits count."""
    request.session[SINCE] = int(time.time())
    _prolong(request.session)
    _write_down(request, user)


def is_to_be_seen(session: SessionBase) -> bool:
    """Whether it is time to write down that a session is in use."""
    every = min(SEEN_EVERY, settings.V0_SESSION_IDLE / 10)
    return bool(time.time() - session.get(SEEN, 0) > every)


def see(request: HttpRequest, person: Person) -> None:
    """The session is in use: it lasts for another while, and never longer than in all it may."""
    request.session.setdefault(SINCE, int(time.time()))
    _prolong(request.session)
    _write_down(request, person)


def _prolong(session: SessionBase) -> None:
    now = int(time.time())
    session[SEEN] = now
    left = session[SINCE] + settings.V0_SESSION_LONGEST - now
    session.set_expiry(max(1, int(min(settings.V0_SESSION_IDLE, left))))


def _write_down(request: HttpRequest, person: Person) -> None:
    seen = {"last_seen_at": timezone.now(), "user_agent": _browser(request), "ip": _ip(request)}
    key = request.session.session_key or ""
    if not UserSession.objects.filter(session_key=key).update(**seen):
        row = UserSession(user=person, session_key=key, **seen)
        UserSession.objects.bulk_create([row], ignore_conflicts=True)


def _ip(request: HttpRequest) -> str:
    # A command that signs somebody in has no address.
    if "REMOTE_ADDR" not in request.META:
        return UNKNOWN
    found: str = get_adapter(request).get_client_ip(request)
    return found


def _browser(request: HttpRequest) -> str:
    longest = UserSession._meta.get_field("user_agent").max_length
    return str(request.META.get("HTTP_USER_AGENT", ""))[:longest]


def renew(request: HttpRequest) -> tuple[str, str]:
    """A fresh key for a session that has gained a right; the old one is worth nothing from now on.
    Gives both."""
    before = request.session.session_key or ""
    request.session.cycle_key()
    now = request.session.session_key or ""
    UserSession.objects.filter(session_key=before).update(session_key=now)
    return before, now


def standing(person: Person) -> list[UserSession]:
    """Those in which the person is signed in now, the newest first."""
    rows = UserSession.objects.filter(user=person).order_by("-last_seen_at", "-pk")
    live = Session.objects.filter(expire_date__gt=timezone.now())
    held = live.in_bulk(list(rows.values_list("session_key", flat=True)))
    return [row for row in rows if _is_of(held.get(row.session_key), person)]


def _is_of(session: Session | None, person: Person) -> bool:
    """A session from before the last change of the password stays behind as a row that opens nothing."""
    if session is None:
        return False
    proof = str(session.get_decoded().get(HASH_SESSION_KEY, ""))
    return constant_time_compare(proof, person.get_session_auth_hash())


def end(keys: Iterable[str]) -> int:
    """End sessions by their keys; how many there were."""
    given = list(keys)
    UserSession.objects.filter(session_key__in=given).delete()
    return Session.objects.filter(session_key__in=given).delete()[0]


def end_others(person: Person, keep: str | None = None) -> int:
    """End all sessions of a person but the one with the key `keep`; how many there were."""
    rows = UserSession.objects.filter(user=person).exclude(session_key=keep or "")
    return end(rows.values_list("session_key", flat=True))


@receiver(user_logged_out)
def _forget(request: HttpRequest, **_: object) -> None:
    UserSession.objects.filter(session_key=request.session.session_key or "").delete()


@receiver((password_changed, password_set, password_reset))
def _end_those_of_the_old_password(request: HttpRequest, user: Person, **_: object) -> None:
    end_others(user, keep=request.session.session_key)


def clean() -> None:
    """Remove what is left of sessions that have expired or ended, everybody's."""
    Session.objects.filter(expire_date__lte=timezone.now()).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()

"""How often somebody may guess: limits that strangers run into, and that lock no owner out.

What fails is counted in the cache (in Redis where several processes share one), of passwords and of
codes apart, in four ways: by address, over all accounts; by address and account; by account, over all
addresses; and by account and browser, for one that has signed in to it before, which none of the
others touch. The count by account alone refuses nobody: beyond it, whoever was wrong about this account
within the hour is refused, and an address that was not has its one try. So two hundred strangers share
a try each an hour, and the owner is let in with the right password or code, in a new browser too.
Whoever is refused all the same has a way by mail: a new password forgives. Relies on allauth's sliding
windows; never says whether there is an account.
"""

from __future__ import annotations

from dataclasses import dataclass

from allauth.core.internal import ratelimit
from django.http import HttpRequest

from chats.accounts.browsers import known_browser
from chats.models import Person

PASSWORD, CODE = "password", "code"
RATES = {
    "known": "5/5m/key",
    "address": "10/m/ip,100/h/ip",
    "pair": "5/5m/key",
    "account": "50/h/key",
    "suspicious": "1/h/key",
    # Tokens are too long to be guessed: this spares us the work. A right one is never asked about.
    "token": "20/m/ip,200/h/ip",
    # Mails that strangers can have sent to one address; each link in them works for itself.
    "mail": "5/h/key",
    "asked": "20/m/ip",
    # People whom somebody invites.
    "invited": "60/h/key",
    # Notes that somebody writes, each of which may be mailed to those whom it names.
    "noted": "20/m/key,300/h/key",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, counted as wrong until it is forgiven."""

    counted: tuple[ratelimit.RateLimitUsage, ...]

    def forgive(self) -> None:
        for usage in self.counted:
            usage.rollback()


def attempt(request: HttpRequest, what: str, email: str) -> Attempt | None:
    """The try of a PASSWORD or a CODE for the account of `email`; None when there may be none now."""
    email = email.lower()
    if mark := known_browser(request, email):
        known = _consume(request, what, "known", f"{email}:{mark}")
        return Attempt((known,)) if known else None
    pair = f"{email}:{ratelimit.get_ip(request)}"
    address = _consume(request, what, "address")
    here = address and _consume(request, what, "pair", pair)
    if not address or not here:
        return None
    everywhere = _consume(request, what, "account", email)
    first = _consume(request, what, "suspicious", pair)
    if not everywhere and not first:
        return None
    return Attempt(tuple(usage for usage in (address, here, everywhere, first) if usage))


def forget(request: HttpRequest, email: str) -> None:
    """Nothing that was wrong about this account counts any more, from here: it has a new password."""
    email = email.lower()
    pair = f"{email}:{ratelimit.get_ip(request)}"
    mark = known_browser(request, email)
    keys = {"pair": pair, "suspicious": pair, "account": email, "known": f"{email}:{mark}"}
    for what in (PASSWORD, CODE):
        for name, key in keys.items():
            ratelimit.clear(request, app=f"v0web.{what}", action=name, config=RATES, key=key)


def may_try_a_token(request: HttpRequest) -> bool:
    """Counts a token that opened nothing; whether this address may go on with others."""
    return _consume(request, "any", "token") is not None


def may_ask_for_mail(request: HttpRequest) -> bool:
    """Counts a request for mail, to whatever address; whether this address may go on."""
    return _consume(request, "any", "asked") is not None


def may_be_mailed(request: HttpRequest, kind: str, email: str) -> bool:
    """Counts a mail of this kind that somebody, perhaps a stranger, asks to be sent to `email`."""
    return _consume(request, kind, "mail", email.lower()) is not None


def may_invite(request: HttpRequest, person: Person) -> bool:
    """Counts an invitation that somebody makes or sends again."""
    return _consume(request, "any", "invited", str(person.pk)) is not None


def may_note(request: HttpRequest, person: Person) -> bool:
    """Counts a note that somebody writes."""
    return _consume(request, "any", "noted", str(person.pk)) is not None


def _consume(
    request: HttpRequest, what: str, name: str, key: str | None = None
) -> ratelimit.RateLimitUsage | None:
    return ratelimit.consume(
        request, app=f"v0web.{what}", action=name, config=RATES, key=key, limit_get=True
    )

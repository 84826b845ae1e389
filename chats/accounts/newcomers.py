"""Somebody who comes with an invitation: the account that they make, and the proof of their address.

Owns the mail that an invitation is, and the link in a mail that proves an address to one invitation,
signed and kept nowhere. Relies on the adapter for sending and on `sign_up` for the account. Never says
whether an address has an account, except to whoever reads its mail.

    by e-mail   the token in the mail proves the address
    by link     the token proves nothing; a second mail brings a proof for the address that was typed
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from chats.accounts import sign_up, throttle
from chats.models import Invitation, Person
from chats.models import invitations as rows

PROOF_HOLDS = 24 * 3600
_SALT = "chats.accounts.invited-address"
# A part of the token's digest is enough to tie a proof to it: it is signed.
_PART = 16


def read(token: str) -> tuple[Invitation | None, str]:
    """The invitation of a token or of a proof, and the address that it proves, "" for none."""
    try:
        id, part, email = signing.loads(token, salt=_SALT, max_age=PROOF_HOLDS)
    except signing.BadSignature:
        found = rows.find(token)
        return found, found.email if found else ""
    found = Invitation.objects.select_related("team", "inviter").filter(pk=id).first()
    if found is None or found.digest[:_PART] != part:
        return None, ""
    return found, str(email)


def proof(invitation: Invitation, email: str) -> str:
    """What stands in place of the token in the mail to `email`."""
    return signing.dumps([invitation.pk, invitation.digest[:_PART], email], salt=_SALT)


def has_account(email: str) -> bool:
    return Person.objects.filter(email=email).exists()


def take_up(
    invitation: Invitation, email: str, *, name: str, password: str, address: str | None
) -> Person:
    """The account of somebody who has proved the address, in the team that they were invited to.
    `sign_up.LinkOver` when there is one by now, Over when the invitation has ended."""
    with transaction.atomic():
        person = sign_up.make_account(
            email, name=name, password=password, address=address, by="invitation"
        )
        rows.accept(invitation, person, address=address)
    return person


def place(token: str) -> str:
    """The whole address of an invitation."""
    return whole(reverse("invitation", args=[token]))


def whole(path: str) -> str:
    return f"{settings.V0_ORIGINS[0]}{path}"


def send(request: HttpRequest, invitation: Invitation, token: str) -> None:
    """The mail that invites."""
    mail(request, "invitation", invitation.email, invitation=invitation, url=place(token))


def prove(request: HttpRequest, invitation: Invitation, token: str, email: str) -> None:
    """Send to `email` how to go on: a proof, or for who has an account to sign in. In silence nothing,
    where many were sent to it."""
    email = email.lower()
    if not throttle.may_be_mailed(request, "invitation", email):
        return
    if has_account(email):
        mail(request, "invitation_known", email, invitation=invitation, url=place(token))
    else:
        url = place(proof(invitation, email))
        mail(request, "invitation_proof", email, invitation=invitation, url=url)


def mail(request: HttpRequest, name: str, email: str, **context: Any) -> None:
    """`name` is that of its two templates."""
    get_adapter(request).send_mail(f"teams/email/{name}", email, context)

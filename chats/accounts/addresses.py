"""A person's e-mail address: the change to another one, and the proof that one is theirs.

Owns the change that waits for its link, the mails about it, and that allauth's row of addresses says what the
person says. Nobody learns here whether an address has an account: an address of somebody else waits like any
other, and its mail has no link in it. Asks nobody for a proof: the views do.
"""

from __future__ import annotations

from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from chats.accounts import address
from chats.models import EmailChange, Event, Person, record

LASTS = timedelta(hours=24)
# A token for one is none for the other: the links go to different addresses.
_CONFIRM, _CANCEL = "chats.accounts.addresses.confirm", "chats.accounts.addresses.cancel"


def is_proved(person: Person) -> bool:
    """Whether the person has shown that they read what is sent to their address."""
    return EmailAddress.objects.filter(user=person, email=person.email, verified=True).exists()


def waiting(person: Person) -> EmailChange | None:
    """The change that waits for its link."""
    since = timezone.now() - LASTS
    return EmailChange.objects.filter(person=person, asked_at__gt=since).first()


def ask(request: HttpRequest, person: Person, email: str) -> None:
    """Send the link that makes `email` the person's; it replaces any link from before. With the address
    that they have, it proves that one."""
    with transaction.atomic():
        EmailChange.objects.filter(person=person).delete()
        change = EmailChange.objects.create(person=person, email=email)
    if _is_taken(change):
        _tell(request, email, "address_taken", person)
    else:
        _tell(request, email, "address_confirm", person, link=_link(request, change, _CONFIRM))
    if email != person.email:
        link = _link(request, change, _CANCEL)
        _tell(request, person.email, "address_asked", person, link=link, wanted=email)


def cancel(person: Person) -> None:
    EmailChange.objects.filter(person=person).delete()


def of_confirmation(token: str) -> EmailChange | None:
    """The change that a link to the new address confirms; None when it is too old, used or cancelled."""
    return _of(token, _CONFIRM)


def of_cancellation(token: str) -> EmailChange | None:
    """The change that a link to the old address cancels."""
    return _of(token, _CANCEL)


def confirm(request: HttpRequest, change: EmailChange) -> bool:
    """Make the address the person's own; False when it cannot be any more."""
    person, before = change.person, change.person.email
    try:
        with transaction.atomic():
            if not _take(change):
                return False
            record(
                Event.EMAIL_CHANGED,
                actor=person,
                address=address(request),
                person=person,
                old=before,
                new=change.email,
            )
    except IntegrityError:
        # Somebody else had it, or got it in this moment.
        return False
    if before != change.email:
        _tell(request, before, "address_changed", person, now=change.email)
    return True


def _take(change: EmailChange) -> bool:
    """Of two at once one finds the row, and the other does not."""
    if not EmailChange.objects.filter(pk=change.pk).delete()[0]:
        return False
    held = Person.objects.filter(pk=change.person_id, is_active=True, email=change.person.email)
    if not held.update(email=change.email):
        return False
    EmailAddress.objects.filter(user=change.person_id).delete()
    EmailAddress.objects.create(
        user_id=change.person_id, email=change.email, verified=True, primary=True
    )
    return True


@receiver(post_save, sender=Person)
def _forget_others(
    instance: Person, created: bool, update_fields: frozenset[str] | None = None, **_: object
) -> None:
    """What the admin, say, changes: an address of before must neither sign in nor get a reset."""
    if not created and (update_fields is None or "email" in update_fields):
        EmailAddress.objects.filter(user=instance).exclude(email=instance.email).delete()


def _is_taken(change: EmailChange) -> bool:
    others = Person.objects.exclude(pk=change.person_id).filter(email=change.email)
    rows = EmailAddress.objects.exclude(user=change.person_id)
    return others.exists() or rows.filter(email=change.email, verified=True).exists()


def _of(token: str, salt: str) -> EmailChange | None:
    try:
        id = signing.Signer(salt=salt).unsign_object(token)
    except signing.BadSignature:
        return None
    since = timezone.now() - LASTS
    rows = EmailChange.objects.select_related("person")
    return rows.filter(pk=id, asked_at__gt=since, person__is_active=True).first()


def _link(request: HttpRequest, change: EmailChange, salt: str) -> str:
    token = signing.Signer(salt=salt).sign_object(change.pk)
    page = "email_confirm" if salt == _CONFIRM else "email_cancel_by_link"
    return request.build_absolute_uri(reverse(page, args=[token]))


def _tell(request: HttpRequest, email: str, what: str, person: Person, **words: str) -> None:
    hours = int(LASTS.total_seconds() // 3600)
    context = {"person": person, "hours": hours, **words}
    get_adapter(request).send_mail(f"account/email/{what}", email, context)

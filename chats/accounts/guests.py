"""Guests of single chats, by the address that they were invited by.

Owns whom an invitation counts for: who has proved that its address is theirs, when it is made or whenever
that is proved (an account made by a link in a mail or by a provider, an address confirmed). Owns the mail, too,
which is the same for who has an account and who has none, and has nothing of the chat in it but its address.
"""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse

from chats.accounts import sign_up, throttle
from chats.accounts.newcomers import whole
from chats.models import Guest, Person, guests


def proved_by(email: str) -> Person | None:
    """Who has the address and has proved it; somebody deactivated can do nothing with what they are given."""
    rows = EmailAddress.objects.filter(email=email, verified=True).select_related("user")
    found = next((each.user for each in rows if each.user.email == email), None)
    return found if isinstance(found, Person) else None


@receiver(post_save, sender=EmailAddress)
def _recognise(instance: EmailAddress, raw: bool = False, **_: object) -> None:
    if raw or not instance.verified:
        return
    # As they are now: the row that is held may have the address of before.
    person = Person.objects.filter(pk=instance.user_id, email=instance.email).first()
    if person is not None:
        guests.recognise(person)


def tell(request: HttpRequest, guest: Guest) -> None:
    """The mail that invites; in silence nothing, where many were sent to the address."""
    if not throttle.may_be_mailed(request, "guest", guest.email):
        return
    place = reverse("chat", args=[guest.chat_id])
    context = {
        "guest": guest,
        # Whoever is signed in is led on at once.
        "url": whole(f"{reverse('account_login')}?next={place}"),
        "sign_up": whole(reverse("account_signup")) if sign_up.is_open() else "",
    }
    get_adapter(request).send_mail("chats/email/guest", guest.email, context)

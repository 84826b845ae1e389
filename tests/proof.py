"""What tests need to stand where somebody has just proved who they are, and the codes of an app."""

from __future__ import annotations

import re
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, hotp_value
from django.test import Client

from chats.models import Person

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def proved(client: Client, person: Person, *, ago: float = 0) -> Client:
    """The client as after a proof of `ago` seconds ago."""
    session = client.session
    note = {"method": "password", "at": time.time() - ago, "reauthenticated": True}
    session["account_authentication_methods"] = [note]
    session["account_authentication_methods_user"] = str(person.pk)
    session.save()
    return client


def code(secret: str = SECRET, *, steps: int = 0) -> str:
    """What an app shows now, or so many half minutes from now."""
    return f"{hotp_value(secret, int(time.time()) // 30 + steps):06}"


def app_of(person: Person) -> Authenticator:
    """The person has an app with SECRET, and recovery codes."""
    RecoveryCodes.activate(person)
    made: Authenticator = TOTP.activate(person, SECRET).instance
    return made


def recovery_codes(person: Person) -> list[str]:
    held = Authenticator.objects.get(user=person, type=Authenticator.Type.RECOVERY_CODES)
    unused: list[str] = held.wrap().get_unused_codes()
    return unused


def field(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]

"""Who has to prove with a second factor who they are, by the installation's setting.

Owns that one rule. Relies on models and on the relation that allauth gives to people; which factors
somebody has, and how they are checked, is `chats.accounts` and allauth.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from chats.models import Person

# Recovery codes only stand in for one of these.
FACTORS = ("totp", "webauthn")


def must_have_factor(person: Person) -> bool:
    """Whether `V0_REQUIRE_MFA` asks a second factor of this person."""
    required: str = settings.V0_REQUIRE_MFA
    return required == "everybody" or (required == "staff" and person.is_staff)


def lacking_factor(people: Iterable[Person]) -> set[int]:
    """Those who must have a second factor and have none: they get no further than to set one up. One
    query for all of them, and none where nobody must."""
    asked = {person.pk for person in people if must_have_factor(person)}
    if not asked:
        return set()
    having = Person.objects.filter(pk__in=asked, authenticator__type__in=FACTORS)
    return asked - set(having.values_list("pk", flat=True))

"""People: who signs in, and the one-time link that makes the first of them.

Owns identity only; what a person may do is `chats.permissions`. Never stores a password or a link
in a form that could be used.
"""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

GONE = "Deleted account"
# As many as there are in people.css.
COLOURS = 8
# The first letter or digit of each word.
INITIAL = re.compile(r"(?:^|(?<=[\s.\-_+]))[^\W_]")


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Person:
        person = self.model(email=self.normalize_email(email).lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Person:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def hold_standing(self) -> None:
        """From here to its end this transaction is the only one that changes how an account stands. A
        row that is always there and never goes: who has changed it holds it."""
        first = self.order_by("pk").values("pk")[:1]
        self.filter(pk__in=first).update(date_joined=F("date_joined"))

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email__iexact=username)


class Theme(models.TextChoices):
    """Which colours somebody wants; "" is that they have never said, and the device decides."""

    UNSAID = "", "not chosen"
    SYSTEM = "system", "As the system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class Whose(models.TextChoices):
    """Which chats of a space somebody looks at."""

    ALL = "", "all"
    MINE = "mine"
    TEAM = "team"
    SHARED = "shared"


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody with an account. `email` is the name they sign in with, `name` the one others see.

    Notices are about the ends of their runs and what waits for them; a browser asks them, too.
    The sidebar shows their personal space alone, or a team's chats, or all; with the membership its
    choice goes, too. `shows_whose` is which of these.
    `time_zone` is an IANA name, "" for UTC. `deleted_at`: they deleted the account then, and the row
    stays for what refers to it, with nothing in it that says who they were; nobody can sign in as it.
    """

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    theme = models.CharField(max_length=6, choices=Theme.choices, default=Theme.UNSAID, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    notices_in_browser = models.BooleanField(default=True)
    notices_by_mail = models.BooleanField(default=False)
    shows_personal = models.BooleanField(default=False)
    shows_team = models.ForeignKey(
        "chats.Membership", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    shows_whose = models.CharField(
        max_length=6, choices=Whose.choices, default=Whose.ALL, blank=True
    )

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name_plural = "people"
        constraints = (
            # Sign-in lowers what is typed: another spelling of an address would be another account.
            models.CheckConstraint(condition=Q(email=Lower("email")), name="email_in_lower_case"),
            # No way of reactivating people brings an account back that was deleted.
            models.CheckConstraint(
                condition=Q(deleted_at=None) | Q(is_active=False), name="deleted_is_inactive"
            ),
        )

    def __str__(self) -> str:
        return self.shown_name

    def clean(self) -> None:
        super().clean()
        self.email = Person.objects.normalize_email(self.email).lower()

    @property
    def shown_name(self) -> str:
        """The name that other readers see; never the whole address."""
        if self.deleted_at:
            return GONE
        return self.name or self.email.partition("@")[0]

    @property
    def initials(self) -> str:
        """Of the first and the last of their names; none of whom nobody is named by any more."""
        names = [] if self.deleted_at else INITIAL.findall(self.shown_name)
        return "".join(letter.upper()[:1] for letter in (*names[:1], *names[1:][-1:]))

    @property
    def colour(self) -> str:
        """One of those that people's pictures have, the same for as long as they are here."""
        return "" if self.deleted_at else str(self.pk % COLOURS)

    @property
    def zone(self) -> tzinfo:
        """Where the server puts times into words for them."""
        return zone(self.time_zone)

    @property
    def composer(self) -> dict[str, Any]:
        """What they sent their last message with, as `forms.options` reads it; {} before that."""
        found: Composer | None = getattr(self, "last_composer", None)
        return found.options if found else {}


def zone(name: str) -> tzinfo:
    """UTC for "", and for a name that the system's database of zones does not know any more."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return UTC


class Composer(models.Model):
    """What a person chose last: apart from the person, whom the admin shows."""

    person = models.OneToOneField(Person, models.CASCADE, related_name="last_composer")
    options = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"of person {self.person_id}"


class EmailChange(models.Model):
    """The address that a person wants from now on, or wants to prove: theirs once a link that was sent
    to it is opened. Nobody signs in, is found or gets other mail by it before."""

    person = models.OneToOneField(Person, models.CASCADE, related_name="email_change")
    email = models.EmailField()
    asked_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"of person {self.person_id}"


class SetupLink(models.Model):
    """A one-time link of a new installation. Only the SHA-256 of its token is kept."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"made {self.created_at:%Y-%m-%d}"

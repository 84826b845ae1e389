"""A deleted account as a row: nobody is named by it, and nothing makes it an account again."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError
from django.utils import timezone

from chats.models import Person


def test_nothing_brings_a_deleted_account_back(owner: Person) -> None:
    Person.objects.filter(pk=owner.pk).update(deleted_at=timezone.now(), is_active=False)
    owner.refresh_from_db()
    assert owner.shown_name == str(owner) == "Deleted account"
    with pytest.raises(IntegrityError):
        Person.objects.filter(pk=owner.pk).update(is_active=True)


@pytest.mark.parametrize("name", ["", "Nowhere/Else", "../../etc/passwd", "\x00"])
def test_a_zone_that_nobody_knows_is_utc(name: str) -> None:
    assert str(Person(time_zone=name).zone) == "UTC"
    assert Person(time_zone="Europe/Berlin").zone == ZoneInfo("Europe/Berlin")

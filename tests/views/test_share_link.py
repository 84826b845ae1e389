"""The link of a chat in its share dialog: `/chats/<uuid>/link/new/`, `link/end/`."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from chats.models import AuditEntry, Chat, Event, Person, Team
from chats.permissions.doors import Door, Ended, Held, codes, look
from chats.views.entries import noted_name, told
from tests.views.conftest import ChatOf, ClientOf, no_writes

HELD = "the-old-slug"


@pytest.fixture
def chat(owner: Person, chat_of: ChatOf) -> Chat:
    chat = chat_of(owner, privacy="unlisted")
    chat.link_slug = HELD
    chat.save()
    return chat


def place(chat: Chat, rest: str) -> str:
    return f"/chats/{chat.pk}/{rest}/"


def door(client: Client, person: Person, chat: Chat) -> Door:
    return Door(client.session.session_key or "", person.pk, chat.pk, HELD)


def sentences() -> list[str]:
    return [each.sentence for each in told(AuditEntry.objects.order_by("pk"), noted_name)]


def test_the_dialog_shows_the_link_and_how_long_it_works(
    client_of: ClientOf, owner: Person, chat: Chat
) -> None:
    client = client_of(owner)
    with no_writes():
        page = client.get(place(chat, "share")).content.decode()
    assert f'value="http://testserver/shared/{HELD}/"' in page
    assert "It works until you change that" in page
    assert "exist only here" in page
    Chat.objects.update(link_expires_at=timezone.now() - timedelta(minutes=1))
    assert "This link ended" in client.get(place(chat, "share")).content.decode()


@pytest.mark.parametrize(
    ("privacy", "wanted", "shown", "missing"),
    [
        ("private", "", "Invited people", 'id="share-url"'),
        ("private", "unlisted", "as soon as v0 agrees", 'id="share-url"'),
        ("unlisted", "team", "as soon as v0 agrees", 'id="share-url"'),
        ("public", "", "Everybody who signs in here", "/link/end/"),
    ],
)
def test_at_other_levels_there_is_no_link_to_change(
    client_of: ClientOf,
    owner: Person,
    team: Team,
    chat: Chat,
    privacy: str,
    wanted: str,
    shown: str,
    missing: str,
) -> None:
    Chat.objects.update(privacy=privacy, privacy_wanted=wanted, team=team)
    client = client_of(owner)
    page = client.get(place(chat, "share")).content.decode()
    assert shown in page
    assert missing not in page
    for rest in ("link/new", "link/end"):
        response = client.post(place(chat, rest), {"confirmed": "yes", "held": HELD, "ends": "1"})
        assert response.status_code == 409
        assert "Only an unlisted chat" in response.content.decode()
    chat.refresh_from_db()
    assert (chat.link_slug, chat.link_expires_at) == (HELD, None)


def test_a_new_link_ends_the_old_one_for_everybody_at_once(
    client_of: ClientOf, owner: Person, stranger: Person, chat: Chat
) -> None:
    theirs = client_of(stranger)
    assert theirs.get(f"/shared/{HELD}/", follow=True).status_code == 200
    opened = door(theirs, stranger, chat)
    assert isinstance(look([opened])[opened], Held)
    client, new = client_of(owner), place(chat, "link/new")
    assert "loses access at once" in client.get(new).content.decode()
    # Not without the word that confirms it.
    assert client.post(new, {"held": HELD}).status_code == 422
    response = client.post(new, {"held": HELD, "confirmed": "yes"})
    assert response["Location"] == f"/chats/{chat.pk}/share/?done=rotated"
    chat.refresh_from_db()
    assert chat.link_slug
    assert len(chat.link_slug) == 32
    page = client.get(response["Location"]).content.decode()
    assert f"/shared/{chat.link_slug}/" in page
    assert "Nobody can open the chat by the old one" in page
    assert codes([opened]) == {opened: Ended.ACCESS_ENDED}
    gone = theirs.get(f"/shared/{HELD}/")
    none = theirs.get("/shared/never-was/")
    assert gone.status_code == none.status_code == 404
    assert masked(gone.content, HELD) == masked(none.content, "never-was")
    assert theirs.get(f"/chats/{chat.pk}/").status_code == 404
    assert theirs.get(f"/shared/{chat.link_slug}/", follow=True).status_code == 200
    assert sentences() == ["ended a share of a chat: nobody can open its old link"]


def masked(content: bytes, slug: str) -> str:
    page = content.decode().replace(slug, "SLUG")
    return re.sub(r'(X-CSRFToken&quot;: &quot;|X-CSRFToken": "|value=")\w+', "", page)


def test_a_form_that_is_sent_twice_takes_no_second_link_away(
    client_of: ClientOf, owner: Person, chat: Chat
) -> None:
    client, fields = client_of(owner), {"held": HELD, "confirmed": "yes"}
    assert client.post(place(chat, "link/new"), fields).status_code == 303
    chat.refresh_from_db()
    response = client.post(place(chat, "link/new"), fields)
    assert response.status_code == 409
    slug, page = chat.link_slug, response.content.decode()
    chat.refresh_from_db()
    assert chat.link_slug == slug
    assert f"/shared/{slug}/" in page
    assert AuditEntry.objects.filter(event=Event.UNSHARED).count() == 1


def test_a_chat_that_lost_its_link_gets_one(client_of: ClientOf, owner: Person, chat: Chat) -> None:
    Chat.objects.update(link_slug=None)
    client = client_of(owner)
    assert "has no link yet" in client.get(place(chat, "share")).content.decode()
    client.post(place(chat, "link/new"), {"held": "", "confirmed": "yes"})
    chat.refresh_from_db()
    assert chat.link_slug


@pytest.mark.parametrize(("ends", "days"), [("1", 1), ("7", 7), ("30", 30)])
def test_a_link_ends_after_some_days(
    client_of: ClientOf, owner: Person, chat: Chat, ends: str, days: int
) -> None:
    response = client_of(owner).post(place(chat, "link/end"), {"held": HELD, "ends": ends})
    assert response.status_code == 303
    chat.refresh_from_db()
    assert chat.link_expires_at
    left = chat.link_expires_at - timezone.now() - timedelta(days=days)
    assert abs(left) < timedelta(minutes=1)
    assert sentences()[-1].startswith("shared a chat by a link that ends 20")


def test_a_link_ends_with_a_day_of_the_owners_zone_and_can_go_on(
    client_of: ClientOf, owner: Person, stranger: Person, chat: Chat
) -> None:
    Person.objects.filter(pk=owner.pk).update(time_zone="Pacific/Auckland")
    zone = ZoneInfo("Pacific/Auckland")
    day = timezone.now().astimezone(zone).date() + timedelta(days=3)
    client, end = client_of(owner), place(chat, "link/end")
    fields = {"held": HELD, "ends": "date", "until": day.isoformat()}
    assert client.post(end, fields).status_code == 303
    chat.refresh_from_db()
    assert chat.link_expires_at
    local = chat.link_expires_at.astimezone(zone)
    assert (local.date(), local.hour) == (day + timedelta(days=1), 0)
    theirs = client_of(stranger)
    theirs.get(f"/shared/{HELD}/")
    opened = door(theirs, stranger, chat)
    assert isinstance(look([opened])[opened], Held)
    # What opens no door any more at the moment when it ends: sockets are asked about every 5 s.
    Chat.objects.update(link_expires_at=timezone.now())
    assert codes([opened]) == {opened: Ended.ACCESS_ENDED}
    assert theirs.get(f"/shared/{HELD}/").status_code == 404
    assert theirs.get(f"/chats/{chat.pk}/").status_code == 404
    assert client.post(end, {"held": HELD, "ends": "never"}).status_code == 303
    assert theirs.get(f"/chats/{chat.pk}/").status_code == 200
    assert "ends never" in sentences()[-1]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Choose when"),
        ({"ends": "1000"}, "Choose when"),
        ({"ends": "date"}, "last day"),
        ({"ends": "date", "until": "soon"}, "last day"),
        ({"ends": "date", "until": "2020-01-01"}, "That day is over"),
        ({"ends": "date", "until": "9999-12-31"}, "five years"),
    ],
)
def test_what_is_no_end_is_refused_and_stays_typed(
    client_of: ClientOf, owner: Person, chat: Chat, fields: dict[str, str], words: str
) -> None:
    response = client_of(owner).post(place(chat, "link/end"), {"held": HELD, **fields})
    assert response.status_code == 422
    page = response.content.decode()
    assert words in page
    assert f'value="{fields.get("until", "")}"' in page
    chat.refresh_from_db()
    assert chat.link_expires_at is None


def test_a_new_link_keeps_an_end_that_lies_ahead_and_no_other(
    client_of: ClientOf, owner: Person, chat: Chat
) -> None:
    ahead = timezone.now() + timedelta(days=1)
    for until, kept in ((ahead, ahead), (timezone.now(), None)):
        Chat.objects.update(link_slug=HELD, link_expires_at=until)
        client_of(owner).post(place(chat, "link/new"), {"held": HELD, "confirmed": "yes"})
        chat.refresh_from_db()
        assert chat.link_expires_at == kept


def test_as_it_is_changes_nothing(client_of: ClientOf, owner: Person, chat: Chat) -> None:
    until = timezone.now() + timedelta(days=2)
    Chat.objects.update(link_expires_at=until)
    client = client_of(owner)
    assert 'value="kept" checked' in client.get(place(chat, "link/end")).content.decode()
    assert client.post(place(chat, "link/end"), {"held": HELD, "ends": "kept"}).status_code == 303
    chat.refresh_from_db()
    assert chat.link_expires_at == until
    assert not AuditEntry.objects.filter(event=Event.SHARED).exists()

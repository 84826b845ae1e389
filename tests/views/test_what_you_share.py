"""What somebody shares, and the end of it: `/settings/shared/`, `/chats/<uuid>/unshare/`."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chats.models import AuditEntry, Chat, Guest, Person, Team
from chats.permissions.doors import Door, Ended, codes
from chats.views.entries import noted_name, told
from tests.views.conftest import ChatOf, ClientOf, no_writes

PAGE = "/settings/shared/"


def test_it_lists_ones_own_chats_that_others_see_and_no_other(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    client = client_of(owner)
    assert "Nobody else sees any of your chats" in client.get(PAGE).content.decode()
    chat_of(owner, "alone")
    chat_of(mate, "of mate", privacy="public")
    chat_of(owner, "gone", privacy="public")
    Chat.objects.filter(title="About gone").update(deleted_at=timezone.now())
    soon = chat_of(owner, "soon")
    Chat.objects.filter(pk=soon.pk).update(privacy_wanted="public")
    invited = chat_of(owner, "invited")
    Guest.objects.create(chat=invited, email="guest@example.com", role="reader")
    unlisted = chat_of(owner, "unlisted", privacy="unlisted")
    yesterday = timezone.now() - timedelta(days=1)
    Chat.objects.filter(pk=unlisted.pk).update(link_slug="slug", link_expires_at=yesterday)
    chat_of(owner, "for mates", privacy="team", team=team)
    with no_writes(), CaptureQueriesContext(connection) as before:
        page = client.get(PAGE).content.decode()
    main = page[page.index("<main") :]
    for text in ("soon", "invited", "unlisted", "for mates"):
        assert f"About {text}</a>" in main
    for text in ("alone", "of mate", "gone"):
        assert f"About {text}" not in main
    assert "as soon as v0 agrees: Public" in main
    assert "1 invited person." in main
    assert "Its link ended" in main
    for number in range(5):
        chat_of(owner, f"more {number}", privacy="unlisted")
    with CaptureQueriesContext(connection) as after:
        client.get(PAGE)
    assert len(after) == len(before)


def test_long_lists_come_in_pages(client_of: ClientOf, owner: Person) -> None:
    Chat.objects.bulk_create(Chat(owner=owner, privacy="public") for _ in range(31))
    client = client_of(owner)
    assert client.get(PAGE).content.decode().count("data-chat=") == 30
    assert client.get(f"{PAGE}?page=2").content.decode().count("data-chat=") == 1


def test_one_form_ends_every_share_of_a_chat_at_once(
    client_of: ClientOf, owner: Person, mate: Person, stranger: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, privacy="unlisted", team=team)
    Chat.objects.update(link_slug="slug", privacy_at_v0="unlisted", privacy_wanted="team")
    Guest.objects.create(chat=chat, email=mate.email, person=mate, role="editor")
    Guest.objects.create(chat=chat, email="nobody@example.com", role="reader")
    client, theirs = client_of(owner), client_of(mate)
    door = Door(theirs.session.session_key or "", mate.pk, chat.pk)
    assert not codes([door])
    place = f"/chats/{chat.pk}/unshare/"
    assert "2 invitations are withdrawn" in client.get(place).content.decode()
    assert client.post(place).status_code == 422
    response = client.post(place, {"confirmed": "yes"})
    assert response["Location"] == f"{PAGE}?done"
    chat.refresh_from_db()
    assert (chat.privacy, chat.privacy_wanted, chat.privacy_unsaid) == ("private", "", True)
    assert chat.link_slug is None
    assert not chat.guests.exists()
    assert codes([door]) == {door: Ended.ACCESS_ENDED}
    assert "About Hello" not in client.get(PAGE).content.decode().partition("<main")[2]
    entries = AuditEntry.objects.filter(chat=chat.pk).order_by("pk")
    assert [each.sentence for each in told(entries, noted_name)][1:] == [
        "ended a share of a chat: nobody can open its old link",
        "ended a share of a chat with mate@example.com",
        "ended a share of a chat with nobody@example.com",
    ]
    # And once more there is nothing left to end.
    assert client.post(place, {"confirmed": "yes"}).status_code == 303
    assert entries.count() == 4


def test_the_staff_see_how_many_chats_lie_open_and_which_without_their_titles(
    client_of: ClientOf, owner: Person, admin: Person, chat_of: ChatOf
) -> None:
    private, public, ended = (
        chat_of(owner, "CANARY", privacy=privacy) for privacy in ("private", "public", "unlisted")
    )
    past = timezone.now() - timedelta(hours=1)
    Chat.objects.filter(pk=ended.pk).update(link_slug="slug-canary", link_expires_at=past)
    Guest.objects.create(chat=private, email="guest@example.com", role="reader")
    client = client_of(admin)
    page = client.get("/manage/chats/?show=open").content.decode()
    assert str(private.pk) not in page
    assert str(public.pk) in page
    assert str(ended.pk) in page
    assert "1 public, 1 unlisted (the link of 1 has ended), 1 with invited people" in page
    assert "unlisted or public (2)" in page
    assert "unlisted, ended" in page
    page += (guests := client.get("/manage/chats/?show=guests").content.decode())
    assert str(private.pk) in guests
    assert str(public.pk) not in guests
    for secret in ("CANARY", "slug-canary", "guest@example.com"):
        assert secret not in page

"""Who is invited to a chat, in its share dialog: `/chats/<uuid>/guests/…`."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client, RequestFactory

from chats import permissions
from chats.accounts import addresses, sign_up, throttle
from chats.models import AuditEntry, Chat, EmailChange, Guest, Person, Team, ending, guests
from chats.permissions import Action
from chats.permissions.doors import Door, Ended, Held, codes, look
from chats.views.archive import Archive
from chats.views.entries import noted_name, told
from tests.accounts.conftest import next_mail, no_attempts_so_far
from tests.views.conftest import ChatOf, ClientOf

__all__ = ["next_mail", "no_attempts_so_far"]

NOBODY = "nobody@example.com"


@pytest.fixture
def chat(owner: Person, chat_of: ChatOf) -> Chat:
    return chat_of(owner)


def prove(person: Person) -> None:
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)


def invite(client: Client, chat: Chat, email: str, role: str = "reader") -> str:
    """The status and the page of the answer."""
    place = f"/chats/{chat.pk}/guests/"
    response = client.post(place, {"email": email, "role": role}, follow=True)
    return f"{response.status_code} {response.content.decode()}"


def section(page: str) -> str:
    """What the dialog says of guests, and what comes after that."""
    return page[page.index("Invited people") : page.index("</main>")]


def rights(person: Person, chat: Chat) -> frozenset[Action]:
    return permissions.actions(Person.objects.get(pk=person.pk), Chat.objects.get(pk=chat.pk))


def sentences() -> list[str]:
    entries = AuditEntry.objects.filter(event__startswith="chat.").order_by("pk")
    return [each.sentence for each in told(entries, noted_name)]


def test_an_invited_person_reads_or_writes_at_once_at_every_level(
    client_of: ClientOf, owner: Person, stranger: Person, team: Team, chat: Chat
) -> None:
    prove(stranger)
    client, theirs = client_of(owner), client_of(stranger)
    assert theirs.get(f"/chats/{chat.pk}/").status_code == 404
    assert "200" in invite(client, chat, "Stranger@Example.com")
    for level in ("private", "unlisted", "public", "team", "team-edit"):
        Chat.objects.update(privacy=level, team=team)
        assert theirs.get(f"/chats/{chat.pk}/").status_code == 200
        assert Action.SEND not in rights(stranger, chat)
    guest = Guest.objects.get()
    place = f"/chats/{chat.pk}/guests/{guest.pk}/role/"
    assert client.post(place, {"role": "editor"}).status_code == 303
    assert Action.SEND in rights(stranger, chat)
    assert Action.MANAGE not in rights(stranger, chat)
    assert client.post(place, {"role": "owner"}).status_code == 422
    assert sentences() == [
        "shared a chat with stranger@example.com, who can read",
        "shared a chat with stranger@example.com, who can read and write instead of can read",
    ]


def test_withdrawing_counts_at_once_on_open_sockets_too(
    client_of: ClientOf, owner: Person, stranger: Person, chat: Chat
) -> None:
    prove(stranger)
    client, theirs = client_of(owner), client_of(stranger)
    invite(client, chat, stranger.email)
    door = Door(theirs.session.session_key or "", stranger.pk, chat.pk)
    assert isinstance(look([door])[door], Held)
    place = f"/chats/{chat.pk}/guests/{Guest.objects.get().pk}/withdraw/"
    page = client.get(place).content.decode()
    assert "stranger@example.com loses" in page
    assert client.post(place).status_code == 422
    response = client.post(place, {"confirmed": "yes"})
    assert response["Location"] == f"/chats/{chat.pk}/share/?done=withdrawn"
    assert codes([door]) == {door: Ended.ACCESS_ENDED}
    assert theirs.get(f"/chats/{chat.pk}/").status_code == 404
    assert client.post(place, {"confirmed": "yes"}).status_code == 404
    assert sentences()[-1] == "ended a share of a chat with stranger@example.com"


def test_an_invitation_of_another_chat_is_none(
    client_of: ClientOf, owner: Person, mate: Person, chat_of: ChatOf, chat: Chat
) -> None:
    other = Guest.objects.create(chat=chat_of(mate), email=NOBODY, role="reader")
    for rest, fields in (("role", {"role": "editor"}), ("withdraw", {"confirmed": "yes"})):
        place = f"/chats/{chat.pk}/guests/{other.pk}/{rest}/"
        assert client_of(owner).post(place, fields).status_code == 404


def test_nothing_tells_whether_an_address_has_an_account(
    client_of: ClientOf,
    owner: Person,
    stranger: Person,
    mate: Person,
    admin: Person,
    chat: Chat,
    next_mail: Callable[[], EmailMessage],
) -> None:
    """With an account, with one whose address is not proved, deactivated, and without."""
    prove(stranger)
    prove(admin)
    Person.objects.filter(pk=admin.pk).update(is_active=False)
    client, shown, sent = client_of(owner), set(), set()
    for email in (stranger.email, mate.email, admin.email, NOBODY):
        page = invite(client, chat, email)
        letter, id = next_mail(), str(Guest.objects.get(email=email).pk)
        page = re.sub(r'value="\w{64}"|<time.*?</time>', "", section(page))
        shown.add(page.replace(email, "EMAIL").replace(f'"{id}"', "").replace(f"/{id}/", ""))
        sent.add((letter.subject, str(letter.body).replace(email, "EMAIL")))
        log = told(AuditEntry.objects.filter(chat=chat.pk), noted_name)[-1]
        assert (log.entry.person, log.entry.person_name) == (None, "")
        Guest.objects.all().delete()
    assert len(shown) == 1
    assert len(sent) == 1


def test_the_mail_has_the_address_of_the_chat_and_nothing_of_it(
    client_of: ClientOf,
    owner: Person,
    chat: Chat,
    next_mail: Callable[[], EmailMessage],
) -> None:
    Chat.objects.update(title="About mergers")
    invite(client_of(owner), chat, NOBODY, "editor")
    letter = next_mail()
    assert letter.to == [NOBODY]
    assert letter.subject == "Olivia Owner shares a chat with you on v0web"
    assert f"/chats/{chat.pk}/" in letter.body
    assert "you can read and write" in letter.body
    assert "mergers" not in letter.subject + str(letter.body)
    assert "Hello" not in str(letter.body)


def test_an_address_is_mailed_only_so_often_and_people_invite_only_so_many(
    client_of: ClientOf, owner: Person, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(throttle.RATES, "mail", "1/h/key")
    monkeypatch.setitem(throttle.RATES, "invited", "2/h/key")
    client = client_of(owner)
    for _ in range(2):
        assert "Invited." in invite(client, chat, NOBODY)
        Guest.objects.all().delete()
    page = invite(client, chat, "third@example.com")
    assert page.startswith("422")
    assert "Wait a while" in page
    assert 'value="third@example.com"' in page
    assert not Guest.objects.exists()
    deadline = time.monotonic() + 10
    while not mail.outbox:
        assert time.monotonic() < deadline
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("email", "role", "words"),
    [
        ("", "reader", "Enter the address"),
        ("not an address", "reader", "This is not an e-mail address"),
        (NOBODY, "owner", "Choose what they may do"),
        ("owner@example.com", "reader", "whoever owns the chat"),
        ("known@example.com", "editor", "invited already"),
    ],
)
def test_what_is_no_invitation_is_refused_and_stays_typed(
    client_of: ClientOf, owner: Person, chat: Chat, email: str, role: str, words: str
) -> None:
    Guest.objects.create(chat=chat, email="known@example.com", role="reader")
    page = invite(client_of(owner), chat, email, role)
    assert page.startswith("422")
    assert words in page
    assert f'required value="{email}"' in page
    assert Guest.objects.count() == 1


def test_a_chat_has_only_so_many_guests(client_of: ClientOf, owner: Person, chat: Chat) -> None:
    Guest.objects.bulk_create(
        Guest(chat=chat, email=f"{number}@example.com", role="reader")
        for number in range(guests.MOST_GUESTS)
    )
    page = invite(client_of(owner), chat, NOBODY)
    assert page.startswith("422")
    assert "at most 50 invitations" in page
    assert Guest.objects.count() == guests.MOST_GUESTS


def test_a_mate_can_be_invited_and_the_row_says_where_they_are_already(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    prove(mate)
    chat = chat_of(owner, privacy="team", team=team)
    page = invite(client_of(owner), chat, mate.email, "editor")
    assert f"In {team.name}, too: this counts where the team sees less" in page
    assert Action.SEND in rights(mate, chat)


# Whom an invitation counts for


def test_an_address_that_is_not_proved_gives_nothing_until_it_is(
    client_of: ClientOf, owner: Person, stranger: Person, chat: Chat
) -> None:
    invite(client_of(owner), chat, stranger.email)
    assert Action.READ not in rights(stranger, chat)
    EmailAddress.objects.create(user=stranger, email=stranger.email, verified=False)
    assert Action.READ not in rights(stranger, chat)
    prove_later = EmailAddress.objects.get(user=stranger)
    prove_later.verified = True
    prove_later.save()
    assert Action.READ in rights(stranger, chat)
    # Told to the staff alone: not in what the owner of the chat sees.
    entry = AuditEntry.objects.get(event="invitation.accepted")
    assert (entry.chat, entry.person, entry.details) == (None, stranger.pk, {"chats": 1})


def test_whoever_makes_an_account_by_a_proved_address_is_a_guest(
    client_of: ClientOf, owner: Person, chat: Chat
) -> None:
    invite(client_of(owner), chat, NOBODY, "editor")
    made = sign_up.make_account(NOBODY, name="", password=None, address=None)
    assert Action.SEND in rights(made, chat)


def test_a_new_address_brings_its_invitations_and_keeps_those_that_counted(
    client_of: ClientOf, owner: Person, stranger: Person, chat_of: ChatOf
) -> None:
    """An invitation is somebody's from the moment it counts for them; one that nobody had proved yet
    stays with its address, whoever leaves that."""
    first, second, third = chat_of(owner), chat_of(owner), chat_of(owner)
    client = client_of(owner)
    prove(stranger)
    invite(client, first, stranger.email)
    invite(client, second, NOBODY)
    change_address(stranger, NOBODY)
    assert Action.READ in rights(stranger, first)
    assert Action.READ in rights(stranger, second)
    invite(client, third, "stranger@example.com")
    assert Action.READ not in rights(stranger, third)
    # Who has the address after them is another guest, and of that chat alone.
    heir = sign_up.make_account("stranger@example.com", name="", password=None, address=None)
    assert Action.READ not in rights(heir, first)
    assert Action.READ in rights(heir, third)


def change_address(person: Person, email: str) -> None:
    change = EmailChange.objects.create(person=person, email=email)
    assert addresses.confirm(RequestFactory().post("/"), change)


def test_who_is_invited_by_two_addresses_is_a_guest_until_both_are_withdrawn(
    client_of: ClientOf, owner: Person, stranger: Person, chat: Chat
) -> None:
    client = client_of(owner)
    prove(stranger)
    invite(client, chat, stranger.email)
    invite(client, chat, NOBODY, "editor")
    change_address(stranger, NOBODY)
    for left, guest in ((True, "stranger@example.com"), (False, NOBODY)):
        id = Guest.objects.get(email=guest).pk
        client.post(f"/chats/{chat.pk}/guests/{id}/withdraw/", {"confirmed": "yes"})
        assert (Action.READ in rights(stranger, chat)) == left


def test_somebody_deactivated_is_a_guest_of_nothing_and_again_when_they_are_back(
    client_of: ClientOf, owner: Person, stranger: Person, chat: Chat
) -> None:
    prove(stranger)
    Person.objects.filter(pk=stranger.pk).update(is_active=False)
    invite(client_of(owner), chat, stranger.email)
    assert not rights(stranger, chat)
    Person.objects.filter(pk=stranger.pk).update(is_active=True)
    assert Action.READ in rights(stranger, chat)


def test_with_an_account_go_its_invitations_and_those_to_chats_that_others_get(
    client_of: ClientOf, owner: Person, stranger: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    of_mate, of_team = chat_of(owner), chat_of(mate, privacy="team", team=team)
    prove(stranger)
    prove(mate)
    invite(client_of(owner), of_mate, mate.email)
    invite(client_of(mate), of_team, stranger.email)
    ending.end(mate, giving=[team.pk], asked=[team.pk], address=None)
    of_team.refresh_from_db()
    assert of_team.owner == owner
    assert not Guest.objects.exists()


def test_moving_a_chat_keeps_its_guests_and_says_so(
    client_of: ClientOf, owner: Person, stranger: Person, team: Team, chat: Chat
) -> None:
    prove(stranger)
    client = client_of(owner)
    invite(client, chat, stranger.email)
    assert "1 invited person keeps access" in client.get(f"/chats/{chat.pk}/move/").content.decode()
    assert client.post(f"/chats/{chat.pk}/move/", {"place": team.pk}).status_code == 303
    assert Action.READ in rights(stranger, chat)


def test_the_archive_of_an_account_tells_of_both_kinds(
    client_of: ClientOf, owner: Person, stranger: Person, chat: Chat
) -> None:
    prove(stranger)
    invite(client_of(owner), chat, stranger.email)
    given = {"chat": str(chat.pk), "role": "reader"}
    for person, name, kept in (
        (owner, "invited", {"email": stranger.email, **given}),
        (stranger, "invited-to", given),
    ):
        packed = io.BytesIO(b"".join(Archive(person, str).pieces()))
        with zipfile.ZipFile(packed) as files:
            [row] = json.loads(files.read(f"{name}.json"))
        del row["at"]
        assert row == kept

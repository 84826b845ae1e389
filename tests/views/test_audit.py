"""`/audit/` and its CSV for staff, `/chats/<uuid>/audit/` for whoever manages the chat."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from chats.forms.audit import AREAS
from chats.models import AuditEntry, Chat, Event, Person, Team, record
from chats.views.audit import CHUNK, PAGE
from chats.views.entries import SENTENCES, noted_name, sentence
from tests.views.conftest import ChatOf, ClientOf, no_writes

LOG = "/audit/"
S = "\N{RIGHT SINGLE QUOTATION MARK}s"


@pytest.fixture
def staff(admin: Person, client_of: ClientOf) -> Client:
    return client_of(admin)


def words(client: Client, place: str = LOG, **given: str) -> list[str]:
    """Each entry on a page: who did what."""
    page = client.get(place, given)
    assert page.status_code == 200
    found = re.findall(r'class="audit-sentence">(.*?)</p>', page.content.decode())
    return [strip_tags(each).replace("&#x27;", "'") for each in found]


def again(entry: AuditEntry, day: int) -> None:
    """The same once more, as it would have been noted on a day in March."""
    moment = datetime(2026, 3, day, 23, 30, tzinfo=UTC)
    fields = {**vars(entry), "at": moment, "kept_until": moment + timedelta(days=9999)}
    del fields["_state"], fields["id"]
    AuditEntry.objects.create(**fields)


def test_it_says_in_words_who_did_what(
    staff: Client, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    of: dict[str, Any] = {"actor": owner, "person": mate, "team": team}
    record(Event.ROLE_CHANGED, **of, old="member", new="viewer", address="203.0.113.7")
    record(Event.PASSWORD_CHANGED, actor=mate, person=mate)
    record(Event.JOINED, actor=mate, person=mate, team=team, role="member")
    record(Event.SIGN_IN_FAILED, typed="who@example.com", by="password")
    record(Event.CHAT_MOVED, actor=owner, chat=chat_of(owner), old="", new=team.name)
    record(Event.INVITED, actor=owner, team=team, invited="new@example.com", days=7)
    assert words(staff) == [
        f"owner@example.com invited new@example.com to {team.name}",
        f"owner@example.com moved a chat from a personal space to {team.name}",
        "Somebody failed to sign in as who@example.com",
        f"mate@example.com joined {team.name}",
        "mate@example.com changed their password",
        f"owner@example.com changed mate@example.com{S} role in {team.name} from member to viewer",
    ]
    page = staff.get(LOG).content.decode()
    for fact in ("Address: 203.0.113.7", "Role: member", "By: password", "Days: 7"):
        assert fact in page
    assert "About our tea" not in page


def test_every_event_has_words_and_an_area(owner: Person, mate: Person, team: Team) -> None:
    for event in Event:
        assert event.value.partition(".")[0] in AREAS
        for person in (owner, mate, None):
            entry = record(event, actor=owner, person=person, team=team)
            said = sentence(entry, noted_name(entry.person, entry.person_name))
            assert said
            assert "{" not in said
    assert set(SENTENCES) <= set(Event.values)
    unknown = AuditEntry(event="later.event", details={})
    assert sentence(unknown, "") == "later.event"


def test_it_is_filtered_by_area_person_team_chat_and_days(
    staff: Client, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner)
    record(Event.SIGNED_IN, actor=owner, person=owner)
    record(Event.REMOVED, actor=owner, person=mate, team=team)
    again(record(Event.CHAT_DELETED, actor=mate, chat=chat), 9)
    found = {
        ("area", "team"): ["team.removed"],
        ("area", "sign-in"): ["sign-in.done"],
        ("person", "MATE@"): ["chat.deleted", "chat.deleted", "team.removed"],
        ("team", team.name[:3].lower()): ["team.removed"],
        ("chat", str(chat.pk)): ["chat.deleted", "chat.deleted"],
        ("until", "2026-03-09"): ["chat.deleted"],
        ("until", "2026-03-08"): [],
        ("since", "2026-03-10"): ["chat.deleted", "team.removed", "sign-in.done"],
        ("person", "%"): [],
        ("until", "9999-12-31"): ["chat.deleted", "chat.deleted", "team.removed", "sign-in.done"],
    }
    for (name, value), events in found.items():
        shown = staff.get(LOG, {name: value}).context["entries"]
        assert [told.entry.event for told in shown] == events, (name, value)
    both = staff.get(LOG, {"area": "chat", "since": "2026-03-10"})
    assert len(both.context["entries"]) == 1
    nothing = staff.get(LOG, {"person": "nobody"}).content.decode()
    assert "Nothing like that was noted." in nothing
    assert 'value="nobody"' in nothing


def test_what_cannot_be_read_is_said_at_its_field_and_kept(staff: Client) -> None:
    record(Event.SIGNED_IN)
    for name, value in (("chat", "x<y"), ("since", "31.1."), ("area", "all"), ("team", "a\0b")):
        page = staff.get(LOG, {name: value, "person": "kept@"})
        assert page.status_code == 422
        text = page.content.decode()
        assert "settings-error" in text
        assert 'value="kept@"' in text
        assert 'class="audit-entry"' not in text
        assert staff.post(f"{LOG}export.csv", {name: value}).status_code == 422


def test_pages_follow_each_other_without_gap(staff: Client, owner: Person) -> None:
    for number in range(2 * PAGE + 1):
        record(Event.SIGN_IN_FAILED, typed=f"{number}", actor=owner)
    shown: list[str] = []
    place: str = f"{LOG}?area=sign-in"
    while place:
        with no_writes():
            page = staff.get(place)
        shown += [told.entry.details["typed"] for told in page.context["entries"]]
        # Something new while somebody reads moves nothing.
        record(Event.SIGNED_OUT)
        older = page.context["older"]
        place = f"{LOG}?{older}" if older else ""
        assert not older or "area=sign-in" in older
    assert shown == [str(number) for number in reversed(range(2 * PAGE + 1))]
    assert staff.get(LOG, {"before": "x" * 50}).status_code == 200


def rows_of(client: Client, **given: str) -> list[dict[str, str]]:
    answer = cast("StreamingHttpResponse", client.post(f"{LOG}export.csv", given))
    assert answer.status_code == 200
    assert re.fullmatch(r'attachment; filename="audit-[\d-]+\.csv"', answer["Content-Disposition"])
    text = b"".join(cast("Iterator[bytes]", answer)).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_the_csv_has_what_is_filtered_and_is_noted(
    staff: Client, admin: Person, owner: Person
) -> None:
    record(Event.SIGNED_IN, actor=owner, address="203.0.113.7", by=["password"])
    record(Event.TEAM_MADE, actor=owner)
    asked = {"area": "sign-in", "person": owner.email}
    [row] = rows_of(staff, **asked)
    assert (row["event"], row["what"]) == ("sign-in.done", "signed in")
    assert (row["actor"], row["address"]) == (owner.email, "203.0.113.7")
    assert row["details"] == '{"by": ["password"]}'
    noted = AuditEntry.objects.latest("pk")
    assert (noted.event, noted.actor) == ("settings.audit-exported", admin.pk)
    assert noted.details == {"looked_for": asked}


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_csv_is_a_formula(staff: Client, begins: str) -> None:
    record(Event.TEAM_MADE, team=Team.objects.create(name=f"{begins}1+1"))
    assert rows_of(staff)[0]["team"] == f"'{begins}1+1"


def test_the_csv_comes_in_pieces(staff: Client) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(event="sign-in.done", kept_until=datetime(2999, 1, 1, tzinfo=UTC))
        for _ in range(CHUNK + 1)
    )
    answer = cast("StreamingHttpResponse", staff.post(f"{LOG}export.csv"))
    with CaptureQueriesContext(connection) as queries:
        counts = [len(queries) for _ in cast("Iterator[bytes]", answer)]
    assert counts == [0, 1, 2]


@pytest.mark.parametrize("who", ["owner", "stranger"])
def test_nobody_else_finds_it(
    who: str, request: pytest.FixtureRequest, client_of: ClientOf
) -> None:
    client = client_of(request.getfixturevalue(who))
    record(Event.SIGNED_IN)
    assert client.get(LOG).status_code == 404
    assert client.post(f"{LOG}export.csv").status_code == 404
    assert LOG not in client.get("/").content.decode()
    assert AuditEntry.objects.count() == 1


def test_staff_find_it_in_their_menu(staff: Client) -> None:
    assert f'href="{LOG}"' in staff.get("/").content.decode()


def test_a_chats_owner_reads_what_happened_to_it(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, team: Team
) -> None:
    """By what they did, through the doors of the app."""
    chat, client = chat_of(owner, team=team, privacy="team"), client_of(owner)
    client.post(f"/chats/{chat.pk}/delete/", {"confirmed": "yes"})
    client.post(f"/chats/{chat.pk}/delete/", {"confirmed": "yes"})
    client.post(f"/chats/{chat.pk}/undelete/")
    client_of(mate).post(f"/chats/{chat.pk}/export.json")
    client.post(f"/chats/{chat.pk}/move/", {"place": "personal"})
    client.post(f"/chats/{chat.pk}/move/", {"place": "personal"})
    place = f"/chats/{chat.pk}/audit/"
    assert words(client, place) == [
        "Olivia Owner changed who may see a chat from team to private",
        f"Olivia Owner moved a chat from {team.name} to a personal space",
        f"{mate.shown_name} exported a chat",
        "Olivia Owner brought a deleted chat back",
        "Olivia Owner deleted a chat",
    ]
    page = client.get(place).content.decode()
    assert "@example.com" not in page.partition("<main")[2]
    assert "127.0.0.1" not in page
    assert place in client.get(f"/chats/{chat.pk}/menu/").content.decode()


def test_only_whoever_manages_a_chat_finds_its_log(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, team: Team, admin: Person
) -> None:
    chat: Chat = chat_of(owner, team=team, privacy="team-edit")
    place = f"/chats/{chat.pk}/audit/"
    assert client_of(mate).get(place).status_code == 403
    assert place not in client_of(mate).get(f"/chats/{chat.pk}/menu/").content.decode()
    assert client_of(admin).get(place).status_code == 404
    assert client_of(owner).get(f"/chats/{uuid4()}/audit/").status_code == 404

"""The admin area: who gets in, what its lists tell and never tell, and that they cost the same for any number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import (
    AuditEntry,
    Chat,
    Invitation,
    Limit,
    Membership,
    Message,
    Outcome,
    Person,
    Team,
    invitations,
)
from chats.relay.outcomes import TROUBLES
from chats.views.manage.overview import ERRORS
from tests.proof import proved
from tests.views.conftest import ClientOf

CANARY = "canary-91c2"
SIGN_IN = "/accounts/login/"
LISTS = ("", "people/", "teams/", "chats/", "limits/", "levers/", "invitations/", "sessions/")


@dataclass
class Area:
    """One person of each kind, a team, a chat with a canary in it, a session and an invitation."""

    people: dict[str, Person]
    team: Team
    session: UserSession
    invitation: Invitation
    limit: Limit

    def client(self, who: str) -> Client:
        client = Client()
        if who in self.people:
            client.force_login(self.people[who])
            proved(client, self.people[who])
        return client


def session_of(person: Person) -> UserSession:
    store = SessionStore()
    store["_auth_user_id"] = str(person.pk)
    store.create()
    session: UserSession = UserSession.objects.create(
        user=person,
        ip="203.0.113.9",
        session_key=store.session_key,
        user_agent="Firefox/131.0 (Linux)",
    )
    return session


@pytest.fixture
def area(db: None) -> Area:
    people = {
        name: Person.objects.create_user(f"{name.replace(' ', '-')}@example.com", name=name)
        for name in ("person", "other", "team admin", "staff", "other staff", "superuser", "root")
    }
    for name in ("staff", "other staff", "superuser", "root"):
        people[name].is_staff = True
        people[name].is_superuser = name in ("superuser", "root")
        people[name].save()
    team = Team.objects.create(name="Web")
    for name, role in (("team admin", "owner"), ("other", "member")):
        Membership.objects.create(team=team, person=people[name], role=role)
    chat = Chat.objects.create(
        owner=people["other"], title=CANARY, link_slug=CANARY, model="v0-pro", team=team
    )
    Message.objects.create(
        chat=chat, position=1, role="user", state="finished", text=CANARY, detail=CANARY
    )
    made, _ = invitations.invite(
        team, "member", inviter=people["team admin"], email="new@example.com", address=None
    )
    # The chat with the canary.
    limit = Limit.objects.create(scope="chat", key=str(chat.pk), period="day", credits=1)
    return Area(people, team, session_of(people["other"]), made, limit)


def body(response: HttpResponseBase) -> str:
    return getattr(response, "content", b"").decode()


# What each gets, written by hand. `in`: to the sign-in page; `+`: 200 for GET, 303 for POST.
ROUTES = """
                                anonymous person  team-admin staff  superuser
GET  /manage/                   in        404     404        +      +
POST /manage/                   405       405     405        405    405
GET  /manage/people/            in        404     404        +      +
GET  /manage/teams/             in        404     404        +      +
GET  /manage/chats/             in        404     404        +      +
GET  /manage/limits/            in        404     404        +      +
GET  /manage/limits/new/        in        404     404        +      +
GET  LIMIT/                     in        404     404        +      +
GET  LIMIT/raise/               in        404     404        +      +
GET  LIMIT/remove/              in        404     404        +      +
GET  NO-LIMIT/                  in        404     404        404    404
GET  /manage/levers/            in        404     404        +      +
GET  /manage/levers/close/      in        404     404        +      +
POST /manage/levers/close/      in        404     404        +      +
POST /manage/levers/open/       in        404     404        +      +
GET  /manage/invitations/       in        404     404        +      +
GET  /manage/sessions/          in        404     404        +      +
GET  OTHER/                     in        404     404        +      +
GET  OTHER/deactivate/          in        404     404        +      +
GET  OTHER/rank/                in        404     404        403    +
GET  OTHER/delete/              in        404     404        404    404
GET  STAFF/                     in        404     404        +      +
GET  STAFF/deactivate/          in        404     404        403    +
POST STAFF/deactivate/          in        404     404        403    +
POST ROOT/sessions/             in        404     404        403    +
POST ROOT/deactivate/           in        404     404        403    +
GET  SELF/                      in        404     404        +      +
POST SELF/deactivate/           in        404     404        403    403
POST SELF/sessions/             in        404     404        403    403
POST SELF/rank/                 in        404     404        403    403
GET  NOBODY/                    in        404     404        404    404
POST NOBODY/deactivate/         in        404     404        404    404
GET  SESSION                    in        404     404        +      +
POST SESSION                    in        404     404        +      +
GET  NO-SESSION                 in        404     404        404    404
GET  INVITATION                 in        404     404        +      +
POST INVITATION                 in        404     404        +      +
POST NO-INVITATION              in        404     404        404    404
POST OTHER/sessions/            in        404     404        +      +
POST OTHER/reset/               in        404     404        +      +
POST OTHER/deactivate/          in        404     404        +      +
POST OTHER/reactivate/          in        404     404        +      +
POST OTHER/rank/                in        404     404        403    +
"""


def place(area: Area, word: str, who: str) -> str:
    person, huge = "/manage/people/{}", 10**30
    named = {
        "OTHER": person.format(area.people["other"].pk),
        "STAFF": person.format(area.people["other staff"].pk),
        "ROOT": person.format(area.people["root"].pk),
        "SELF": person.format(area.people.get(who, area.people["other"]).pk),
        "NOBODY": person.format(huge),
        "LIMIT": f"/manage/limits/{area.limit.pk}",
        "NO-LIMIT": f"/manage/limits/{10**9}",
        "SESSION": f"/manage/sessions/{session_of(area.people['other']).pk}/end/",
        "NO-SESSION": f"/manage/sessions/{huge}/end/",
        "INVITATION": f"/manage/invitations/{area.invitation.pk}/revoke/",
        "NO-INVITATION": f"/manage/invitations/{huge}/revoke/",
    }
    first, slash, rest = word.partition("/")
    return f"{named[first]}{slash}{rest}" if first else word


def test_each_route_answers_each_kind_of_person_as_the_table_says(area: Area) -> None:
    header, *rows = ROUTES.strip("\n").splitlines()
    kinds = [name.replace("team-admin", "team admin") for name in header.split()]
    clients = {who: area.client(who) for who in kinds}
    wrong = []
    for row in rows:
        method, word, *cells = row.split()
        for who, cell in zip(kinds, cells, strict=True):
            path = place(area, word, who)
            response = clients[who].generic(
                method, path, "rank=staff", "application/x-www-form-urlencoded"
            )
            good = {"in": "302", "+": "200" if method == "GET" else "303"}.get(cell, cell)
            if str(response.status_code) != good:
                wrong.append(f"{row}: {who} got {response.status_code}")
            if cell == "in":
                assert response.headers["Location"].startswith(SIGN_IN)
            if cell == "404" and who in ("person", "team admin"):
                assert "Manage" not in body(response)
    assert not wrong, "\n".join(wrong)


def test_who_is_no_staff_cannot_tell_what_there_is_from_what_is_not(area: Area) -> None:
    client, huge = area.client("person"), 10**9
    there = [
        f"/manage/people/{area.people['other'].pk}/",
        f"/manage/people/{area.people['other'].pk}/deactivate/",
        f"/manage/sessions/{area.session.pk}/end/",
        f"/manage/invitations/{area.invitation.pk}/revoke/",
    ]
    absent = [
        f"/manage/people/{huge}/",
        f"/manage/people/{huge}/deactivate/",
        f"/manage/sessions/{huge}/end/",
        f"/manage/invitations/{huge}/revoke/",
    ]
    answers = []
    for path in (*there, *absent):
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path)
        answers.append((response.status_code, body(response).replace(path, ""), len(queries)))
    assert answers[0][0] == 404
    assert all(answer == answers[0] for answer in answers)


def test_no_page_of_it_tells_a_title_a_link_a_text_or_a_session(
    area: Area, client_of: ClientOf
) -> None:
    client, other = client_of(area.people["superuser"]), area.people["other"]
    pages = [f"/manage/{name}" for name in LISTS]
    pages += [f"/manage/people/{other.pk}/", f"/manage/people/{other.pk}/deactivate/"]
    pages += [f"/manage/sessions/{area.session.pk}/end/"]
    pages += [f"/manage/chats/?search={CANARY}", f"/manage/limits/{area.limit.pk}/"]
    for path in pages:
        response = client.get(path)
        assert response.status_code == 200
        assert response["Cache-Control"] == "no-store"
        html = body(response).replace(f'value="{CANARY}"', "")
        for secret in (CANARY, area.session.session_key, area.invitation.digest):
            assert secret not in html, path


def test_each_list_costs_as_many_queries_for_many_rows_as_for_one(
    area: Area, client_of: ClientOf
) -> None:
    client = client_of(area.people["superuser"])
    paths = [f"/manage/{name}" for name in LISTS] + [f"/manage/people/{area.people['other'].pk}/"]

    def costs() -> dict[str, int]:
        found = {}
        for path in paths:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            assert all(query["sql"].startswith("SELECT") for query in queries), (
                "a GET writes nothing"
            )
            found[path] = len(queries)
        return found

    client.get("/")
    before = costs()
    for number in range(12):
        person = Person.objects.create_user(f"more-{number}@example.com")
        team = Team.objects.create(name=f"Team {number}")
        Membership.objects.create(team=team, person=person, role="owner")
        Membership.objects.create(team=team, person=area.people["other"], role="member")
        Chat.objects.create(owner=person, team=team)
        session_of(person)
        invitations.invite(team, "member", inviter=person, address=None)
        Authenticator.objects.create(user=person, type="totp", data={})
    assert costs() == before


def test_people_are_searched_filtered_and_told_of(area: Area, client_of: ClientOf) -> None:
    client, other = client_of(area.people["staff"]), area.people["other"]
    Person.objects.filter(pk=area.people["person"].pk).update(is_active=False)
    gone = Person.objects.create_user("gone@example.com", is_active=False)
    Person.objects.filter(pk=gone.pk).update(deleted_at=timezone.now(), name="")
    Authenticator.objects.create(user=area.people["root"], type="totp", data={})

    def shown(query: str) -> set[str]:
        html = body(client.get(f"/manage/people/?{query}"))
        return {name for name, person in area.people.items() if f"/people/{person.pk}/" in html}

    assert shown("") == set(area.people)
    assert shown("search=OTHER") == {"other", "other staff"}
    assert shown("search=example.com&show=inactive") == {"person"}
    assert shown("show=active") == set(area.people) - {"person"}
    assert shown("show=staff") == {"staff", "other staff", "superuser", "root"}
    assert shown("show=exposed") == {"staff", "other staff", "superuser"}
    assert shown("show=deleted") == set()
    assert "Deleted account" in body(client.get("/manage/people/?show=deleted"))
    assert "Deleted account" not in body(client.get("/manage/people/"))
    assert "Nothing here fits." in body(client.get("/manage/people/?search=nobody-at-all"))
    html = body(client.get(f"/manage/people/{other.pk}/"))
    for words in ("other@example.com", "Web (member)", "203.0.113.9", "Firefox on Linux", "Never"):
        assert words in html
    deleted = body(client.get(f"/manage/people/{gone.pk}/"))
    assert "This account was deleted." in deleted
    assert "Reactivate" not in deleted


def test_chats_are_found_by_owner_team_privacy_and_id(area: Area, client_of: ClientOf) -> None:
    client = client_of(area.people["staff"])
    private = Chat.objects.get()
    public = Chat.objects.create(owner=area.people["person"], privacy="public")
    deleted = Chat.objects.create(owner=area.people["person"], deleted_at=timezone.now())
    every = {"private": private, "public": public, "deleted": deleted}

    def shown(query: str) -> set[str]:
        html = body(client.get(f"/manage/chats/?{query}"))
        return {name for name, chat in every.items() if str(chat.pk) in html}

    assert shown("") == shown("show=nonsense") == {"private", "public"}
    assert shown("show=public") == {"public"}
    assert shown("show=deleted") == {"deleted"}
    assert shown("search=other@") == shown("search=web") == {"private"}
    assert shown(f"search={public.pk}") == {"public"}
    assert shown(f"search={uuid4()}") == set()


def test_lists_come_in_pages_that_keep_what_was_searched(area: Area, client_of: ClientOf) -> None:
    client = client_of(area.people["staff"])
    for number in range(65):
        Person.objects.create_user(f"many-{number:02}@example.com")
    got = []
    for page in ("1", "2", "3", "99999999999", "-1", "x"):
        html = body(client.get(f"/manage/people/?search=many&page={page}"))
        got.append((html.count('<th scope="row">'), "page=1" in html, "page=2" in html))
        assert ("search=many" in html) or page not in ("1", "2", "3")
    assert got == [
        (30, False, True),
        (30, True, False),
        (5, False, True),
        (0, False, False),
        (30, False, True),
        (30, False, True),
    ]


def test_teams_without_an_owner_who_can_sign_in_and_staff_without_a_factor_are_told_of(
    area: Area, client_of: ClientOf, settings: Settings
) -> None:
    client = client_of(area.people["staff"])
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    html = body(client.get("/manage/"))
    assert "4 of the staff" in html
    assert "No mail is sent" in html
    assert "no owner who can sign in" not in html
    assert "<strong>7</strong> people" in html
    Person.objects.filter(pk=area.people["team admin"].pk).update(is_active=False)
    html = body(client.get("/manage/"))
    assert "1 team</a> has no owner who can sign in" in html
    assert "Web" in body(client.get("/manage/teams/?show=ownerless"))
    assert "<strong>1</strong> deactivated" in html


def test_the_overview_counts_errors_by_class_and_says_where_the_key_is_from(
    area: Area, client_of: ClientOf, settings: Settings
) -> None:
    assert set(ERRORS) == set(TROUBLES)
    settings.V0_API_KEY = "v1:a-key-that-nobody-may-see"
    settings.V0_API_KEY_FROM = "V0_API_KEY_FILE"
    client, now = client_of(area.people["staff"]), timezone.now()
    assert "None yet" in body(client.get("/manage/"))
    for kind, days in (("answered", 0), ("rate-limit", 0), ("rate-limit", 3), ("timeout", 20)):
        at = now - timedelta(days=days)
        Outcome.objects.create(day=at.date(), kind=kind, count=11 + days, last_at=at)
    html = body(client.get("/manage/"))
    assert "11 today, 11 in seven days" in html
    row = html[html.index("Too many requests") :]
    assert "data-number>11<" in row[:600]
    assert "data-number>25<" in row[:600]
    assert "file that <code>V0_API_KEY_FILE</code> names" in html
    assert "a-key-that" not in html


def test_an_invitation_is_listed_by_state_and_revoked_once(area: Area, client_of: ClientOf) -> None:
    client = client_of(area.people["staff"])
    path = f"/manage/invitations/{area.invitation.pk}/revoke/"
    assert "new@example.com" in body(client.get("/manage/invitations/"))
    assert "who has joined by it stays" in body(client.get(path))
    assert area.invitation.state == "open"
    assert client.post(path)["Location"] == "/manage/invitations/?done=revoked"
    assert client.post(path)["Location"] == "/manage/invitations/?done=over"
    area.invitation.refresh_from_db()
    assert area.invitation.state == "revoked"
    entries = AuditEntry.objects.filter(event="invitation.revoked")
    assert [entry.actor for entry in entries] == [area.people["staff"].pk]
    expired, _ = invitations.invite(
        None, "", inviter=area.people["staff"], email="late@example.com", address=None
    )
    Invitation.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(1))
    for show, address in (("revoked", "new@"), ("expired", "late@"), ("all", "new@")):
        assert address in body(client.get(f"/manage/invitations/?show={show}"))
    for show in ("", "used"):
        assert "@example.com" not in rows(body(client.get(f"/manage/invitations/?show={show}")))


def rows(html: str) -> str:
    return html.partition("<tbody>")[2].partition("</tbody>")[0]

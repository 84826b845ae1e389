"""The pages of teams: who sees what, what is said before and after, and that nobody gets further."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chats.models import AuditEntry, Chat, Invitation, Membership, Person, Team
from tests.accounts.conftest import next_mail, no_attempts_so_far
from tests.proof import proved
from tests.team_rights import TEAM_TABLE, rows
from tests.views.conftest import ChatOf, ClientOf, count_queries, no_writes

__all__ = ["next_mail", "no_attempts_so_far"]

# Each page of a team, by what it needs; `M` is a viewer's membership, `I` an invitation of a viewer.
ROUTES = {
    ("GET", ""): "SEE",
    ("GET", "leave/"): "SEE",
    ("POST", "leave/"): "SEE",
    ("GET", "settings/"): "SEE",
    ("POST", "settings/"): "CONFIGURE",
    ("GET", "invitations/"): "INVITE",
    ("POST", "invitations/"): "INVITE",
    ("POST", "invitations/I/revoke/"): "INVITE",
    ("POST", "invitations/I/resend/"): "INVITE",
    ("POST", "members/M/role/"): "MANAGE",
    ("GET", "members/M/remove/"): "MANAGE",
    ("POST", "members/M/remove/"): "MANAGE",
    ("GET", "left-behind/"): "TAKE_OVER",
    ("GET", "hand-over/"): "HAND_OVER",
    ("POST", "hand-over/"): "HAND_OVER",
    ("GET", "delete/"): "DELETE",
    # Refused, since the team has a chat.
    ("POST", "delete/"): "DELETE",
}


def text(response: HttpResponseBase) -> str:
    return " ".join(getattr(response, "content", b"").decode().split())


def of(person: Person) -> Membership:
    return Membership.objects.get(person=person)


def send(client: Client, place: str, **fields: object) -> HttpResponseBase:
    body = urlencode({name: str(value) for name, value in fields.items()})
    return client.post(place, body, "application/x-www-form-urlencoded")


@pytest.fixture
def crew(owner: Person, mate: Person, stranger: Person, team: Team) -> dict[str, Person]:
    """Somebody of each role, in the order of the columns of the table."""
    made = {"owner": owner, "member": mate, "stranger": stranger}
    for role in ("admin", "viewer"):
        made[role] = Person.objects.create_user(f"{role}@team.example", name=role.title())
        Membership.objects.create(team=team, person=made[role], role=role)
    return made


def test_every_page_is_for_those_of_the_table(
    crew: dict[str, Person], team: Team, client_of: ClientOf
) -> None:
    spare = Person.objects.create_user("spare@team.example")
    Chat.objects.create(owner=crew["owner"], team=team)
    got: dict[str, dict[tuple[str, str], str]] = {}
    for who in ("owner", "admin", "member", "viewer", "stranger"):
        client, got[who] = client_of(crew[who]), {}
        for (method, path), _ in ROUTES.items():
            held, _ = Membership.objects.get_or_create(team=team, person=spare, role="viewer")
            invited = Invitation.objects.create(
                team=team, role="viewer", digest=f"{method}{path}{who}", expires_at=team.created_at
            )
            place = f"/teams/{team.pk}/{path}".replace("M", str(held.pk))
            place = place.replace("I", str(invited.pk))
            status = client.generic(method, place).status_code
            assert status < 500, place
            got[who][method, path] = {404: "4", 403: "3"}.get(status, "+")
            if path == "leave/" and who != "stranger":
                Membership.objects.get_or_create(team=team, person=crew[who], role=who)
    columns = ("owner", "admin", "member", "viewer", "stranger")
    table = rows(TEAM_TABLE)
    expected = {
        who: {route: table[action][at] for route, action in ROUTES.items()}
        for at, who in enumerate(columns)
    }
    assert got == expected


def test_a_team_of_others_looks_like_none(
    owner: Person, mate: Person, stranger: Person, team: Team, client_of: ClientOf
) -> None:
    client = client_of(stranger)
    for method, path in ROUTES:
        answers = []
        for id in (team.pk, 987_654, 10**30):
            place = f"/teams/{id}/{path}".replace("M", str(of(mate).pk)).replace("I", "1")
            with CaptureQueriesContext(connection) as queries:
                response = client.generic(method, place)
            shown = text(response).replace(f"/teams/{id}/", "")
            answers.append((response.status_code, shown, len(queries)))
        assert answers[0][0] == 404, path
        assert answers[0] == answers[1]
        assert answers[2][:2] == answers[0][:2]


def test_a_member_of_another_team_is_not_looked_up_in_this_one(
    owner: Person, stranger: Person, team: Team, client_of: ClientOf
) -> None:
    elsewhere = Team.objects.create(name="Elsewhere")
    other = Membership.objects.create(team=elsewhere, person=stranger, role="viewer")
    invited = Invitation.objects.create(
        team=elsewhere, role="viewer", digest="x", expires_at=team.created_at
    )
    client = client_of(owner)
    for path in (f"members/{other.pk}/role/", f"members/{other.pk}/remove/"):
        assert send(client, f"/teams/{team.pk}/{path}", role="viewer").status_code == 404
    for verb in ("revoke", "resend"):
        place = f"/teams/{team.pk}/invitations/{invited.pk}/{verb}/"
        assert client.post(place).status_code == 404


def test_somebody_makes_a_team_and_owns_it(stranger: Person, client_of: ClientOf) -> None:
    client = client_of(stranger)
    assert "You belong to no team yet" in text(client.get("/teams/"))
    for name in ("  ", "x" * 101):
        refused = send(client, "/teams/new/", name=name)
        assert refused.status_code == 422
        assert 'id="name-error"' in text(refused)
        assert name.strip() in text(refused)
    response = send(client, "/teams/new/", name=" Web   design ")
    made = Team.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"/teams/{made.pk}/?done=made")
    assert (made.name, of(stranger).role) == ("Web design", "owner")
    assert AuditEntry.objects.get(event="team.made").team == made.pk
    assert "Web design" in text(client.get("/teams/"))


def test_members_are_listed_with_what_one_may_do_about_them(
    crew: dict[str, Person], team: Team, client_of: ClientOf
) -> None:
    pages = {
        who: text(client_of(crew[who]).get(f"/teams/{team.pk}/"))
        for who in crew
        if who != "stranger"
    }
    place = f"/teams/{team.pk}/members/{of(crew['viewer']).pk}/remove/"
    for who, page in pages.items():
        assert "4 members" in page
        assert (place in page) == (who in ("owner", "admin"))
        # Addresses are for those who have to tell people apart.
        assert (crew["viewer"].email in page) == (who in ("owner", "admin", "viewer"))
        assert ("Delete the team" in page) == (who == "owner")
        assert ("Invite</a>" in page) == (who in ("owner", "admin"))
    assert f"/members/{of(crew['owner']).pk}/role/" not in pages["admin"]
    assert crew["member"].email not in pages["viewer"]


def test_pages_of_members_cost_no_more_queries_when_there_are_more(
    owner: Person, team: Team, client_of: ClientOf
) -> None:
    client, place = client_of(owner), f"/teams/{team.pk}/"
    client.get(place)
    before = count_queries(client, place)
    for number in range(40):
        person = Person.objects.create_user(f"p{number}@team.example", name=f"P{number:02}")
        Membership.objects.create(team=team, person=person, role="viewer")
    with no_writes():
        assert count_queries(client, place) == before
    assert "1 of 2" in text(client.get(place))
    assert "P39" in text(client.get(f"{place}?page=2"))


def test_a_role_is_changed_in_place(
    crew: dict[str, Person], team: Team, client_of: ClientOf
) -> None:
    place = f"/teams/{team.pk}/members/{of(crew['member']).pk}/role/"
    admin = client_of(crew["admin"])
    for role in ("owner", "admin", "boss", ""):
        refused = send(admin, place, role=role)
        assert refused.status_code == 422
        assert "Choose a role that you may give." in text(refused)
    assert send(admin, place, role="viewer").status_code == 303
    entry = AuditEntry.objects.get(event="team.role")
    assert (entry.details, entry.address) == ({"old": "member", "new": "viewer"}, "127.0.0.1")
    # What they have become is above the admin, also on a page that the admin still has open.
    assert send(client_of(crew["owner"]), place, role="admin").status_code == 303
    assert send(admin, place, role="viewer").status_code == 403


def test_the_last_owner_is_told_what_to_do(owner: Person, team: Team, client_of: ClientOf) -> None:
    client, own = client_of(owner), of(owner)
    refused = send(client, f"/teams/{team.pk}/members/{own.pk}/role/", role="viewer")
    assert refused.status_code == 409
    page = client.get(f"/teams/{team.pk}/leave/")
    for said in (text(refused), text(page)):
        assert "A team keeps an owner." in said
    assert '<button class="button" data-look="danger"' not in text(page)
    assert client.post(f"/teams/{team.pk}/leave/").status_code == 409
    assert of(owner).role == "owner"


def test_leaving_says_first_what_becomes_of_ones_chats(
    owner: Person, mate: Person, team: Team, client_of: ClientOf, chat_of: ChatOf
) -> None:
    client = client_of(mate)
    assert "No chat of yours is in the team." in text(client.get(f"/teams/{team.pk}/leave/"))
    chat = chat_of(mate, privacy="team", team=team)
    for _ in range(2):
        chat_of(mate, team=team)
    page = text(client.get(f"/teams/{team.pk}/leave/"))
    assert f"1 chat of yours that the team can see passes to {owner.shown_name}" in page
    assert "2 private or unlisted chats of yours are left behind in the team" in page
    assert client.get(f"/chats/{chat.pk}/").status_code == 200
    left = client.post(f"/teams/{team.pk}/leave/")
    assert (left.status_code, left["Location"]) == (303, "/teams/?done=left")
    assert client.get(f"/chats/{chat.pk}/").status_code == 404
    assert Chat.objects.get(pk=chat.pk).owner == owner
    assert client.post(f"/teams/{team.pk}/leave/").status_code == 404


def test_what_was_left_behind_is_taken_over_unread(
    owner: Person, mate: Person, team: Team, client_of: ClientOf, chat_of: ChatOf
) -> None:
    hidden = chat_of(mate, "Something private", team=team)
    client = client_of(owner)
    place = f"/teams/{team.pk}/members/{of(mate).pk}/remove/"
    assert f"Remove {mate.shown_name} from" in text(client.get(place))
    assert client.post(place).status_code == 303
    assert "Chats left behind (1)" in text(client.get(f"/teams/{team.pk}/"))
    place = f"/teams/{team.pk}/left-behind/"
    page = text(client.get(place))
    assert mate.shown_name in page
    assert "1 chat," in page
    assert "Something private" not in page
    assert str(hidden.pk) not in page
    assert client.get(f"/chats/{hidden.pk}/").status_code == 404
    for wrong in ("", "x", owner.pk, 10**30):
        assert send(client, place, person=wrong).status_code == 404
    assert send(client, place, person=mate.pk).status_code == 303
    assert client.get(f"/chats/{hidden.pk}/").status_code == 200
    entry = AuditEntry.objects.get(event="chat.taken-over")
    assert (entry.chat, entry.person, entry.actor) == (hidden.pk, mate.pk, owner.pk)


def test_a_team_is_handed_over_by_who_is_sure_of_it(
    owner: Person,
    mate: Person,
    team: Team,
    client_of: ClientOf,
    next_mail: Callable[[], EmailMessage],
) -> None:
    client, place = client_of(owner), f"/teams/{team.pk}/hand-over/"
    assert "You become an admin." in text(client.get(place))
    for fields in ({"member": of(mate).pk}, {"sure": "on"}, {"member": of(owner).pk, "sure": "on"}):
        assert send(client, place, **fields).status_code == 422
    # What was chosen is still chosen.
    assert f'value="{of(mate).pk}" selected' in text(send(client, place, member=of(mate).pk))
    asked = send(client, place, member=of(mate).pk, sure="on")
    assert asked["Location"].startswith("/accounts/again/")
    assert of(owner).role == "owner"
    proved(client, owner)
    assert send(client, place, member=of(mate).pk, sure="on").status_code == 303
    assert (of(owner).role, of(mate).role) == ("admin", "owner")
    mail = next_mail()
    assert mail.to == [mate.email]
    assert f"/teams/{team.pk}/" in str(mail.body)


def test_an_empty_team_is_deleted(
    owner: Person, mate: Person, team: Team, client_of: ClientOf, chat_of: ChatOf
) -> None:
    chat = chat_of(mate, team=team)
    client, place = client_of(owner), f"/teams/{team.pk}/delete/"
    assert client.post(place)["Location"].startswith("/accounts/again/")
    proved(client, owner)
    assert "The team still has 1 chat" in text(client.get(place))
    assert client.post(place).status_code == 409
    Chat.objects.filter(pk=chat.pk).update(team=None)
    assert "2 members lose the team" in text(client.get(place))
    assert client.post(place).status_code == 303
    assert not Team.objects.exists()

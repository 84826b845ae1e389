"""Invitations from both ends: made, sent, revoked, sent again; and taken up by whoever holds one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from urllib.parse import urlencode

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from django.utils import timezone

from chats.accounts import newcomers, throttle
from chats.models import AuditEntry, Invitation, Membership, Person, Team, invitations
from chats.models.invitations import Over

NEW = {"name": "Newcomer", "password": "long-and-odd-enough-7"}
NEW |= {"repeated": NEW["password"]}
ClientOf = Callable[[Person | None], Client]
NextMail = Callable[[], EmailMessage]


def text(response: HttpResponseBase) -> str:
    return " ".join(getattr(response, "content", b"").decode().split())


def send(client: Client, place: str, **fields: object) -> HttpResponseBase:
    body = urlencode({name: str(value) for name, value in fields.items()})
    return client.post(place, body, "application/x-www-form-urlencoded")


def link_in(words: str) -> str:
    found = re.search(r"http://localhost:8000(/invitations/[^\s<]+)", words)
    assert found, words
    return found[1]


def of(person: Person) -> Membership:
    return Membership.objects.get(person=person)


def made_link(client: Client, team: Team, **fields: object) -> str:
    """The path of a link that whoever is signed in has just made."""
    wanted = {"way": "link", "role": "member", "days": 7, "uses": 3} | fields
    response = send(client, f"/teams/{team.pk}/invitations/", **wanted)
    assert response.status_code == 201, text(response)
    return link_in(text(response))


def mailed_link(client: Client, team: Team, email: str, next_mail: NextMail) -> str:
    place = f"/teams/{team.pk}/invitations/"
    response = send(client, place, way="email", email=email, role="viewer", days=7)
    assert (response.status_code, response["Location"]) == (303, f"{place}?done=sent")
    message = next_mail()
    assert message.to == [email.lower()]
    return link_in(str(message.body))


def assert_over(client: Client, link: str) -> None:
    for response in (client.get(link), client.post(link, NEW)):
        assert response.status_code == 404
        assert "This invitation does not work" in text(response)


def events() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("event", flat=True))


def test_somebody_new_makes_their_account_by_the_mail_and_is_in_the_team(
    owner: Person, team: Team, client_of: ClientOf, next_mail: NextMail
) -> None:
    link = mailed_link(client_of(owner), team, "New@Team.example", next_mail)
    visitor = Client()
    page = text(visitor.get(link))
    for said in (team.name, owner.shown_name, "viewer", "new@team.example"):
        assert said in page
    refused = send(visitor, link, **(NEW | {"repeated": "another"}))
    assert refused.status_code == 422
    assert 'value="Newcomer"' in text(refused)
    assert not Person.objects.filter(email="new@team.example").exists()
    assert visitor.post(link, NEW)["Location"] == f"/teams/{team.pk}/"
    person = Person.objects.get(email="new@team.example")
    assert visitor.session["_auth_user_id"] == str(person.pk)
    assert of(person).role == "viewer"
    assert [e for e in events() if not e.startswith("sign-in")] == [
        "invitation.made",
        "account.made",
        "invitation.accepted",
        "team.joined",
    ]
    assert_over(Client(), link)


def test_only_a_digest_is_kept_and_no_token_stands_in_a_log_or_an_audit_entry(
    owner: Person, team: Team, client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    from v0web.logs import redacted

    client = client_of(owner)
    link = made_link(client, team)
    token = link.strip("/").rpartition("/")[2]
    assert token not in str(list(Invitation.objects.values()) + list(AuditEntry.objects.values()))
    assert token not in text(client.get(f"/teams/{team.pk}/invitations/")), "it is shown once"
    for line in (
        f"GET {link} 200",
        f"GET /accounts/login/?next={link}",
        f"%2Finvitations%2F{token}%2F",
    ):
        assert token not in redacted(line)
    assert client.get(link).headers["Referrer-Policy"] == "same-origin"


def test_somebody_with_an_account_joins_by_a_link(
    owner: Person, stranger: Person, team: Team, client_of: ClientOf
) -> None:
    link = made_link(client_of(owner), team, uses=1, role="admin")
    client = client_of(stranger)
    page = text(client.get(link))
    assert "admin" in page
    assert stranger.email in page
    joined = client.post(link)
    assert (joined.status_code, joined["Location"]) == (303, f"/teams/{team.pk}/?done=joined")
    assert of(stranger).role == "admin"
    assert_over(Client(), link)


def test_who_belongs_already_keeps_the_role_and_uses_nothing_up(
    owner: Person, mate: Person, team: Team, client_of: ClientOf
) -> None:
    link = made_link(client_of(owner), team, role="owner")
    client = client_of(mate)
    for response in (client.get(link), client.post(link)):
        assert "You belong to this team already." in text(response)
    assert of(mate).role == "member"
    assert Invitation.objects.get().uses == 0


def test_who_is_not_signed_in_is_led_there_and_back(
    owner: Person, stranger: Person, team: Team, client_of: ClientOf, next_mail: NextMail
) -> None:
    link = mailed_link(client_of(owner), team, stranger.email, next_mail)
    visitor = Client()
    page = text(visitor.get(link))
    found = re.search(r'href="(/accounts/login/\?next=[^"]+)"', page)
    assert found
    fields = {"login": stranger.email, "password": "demo", "next": link}
    assert visitor.post(found[1], fields)["Location"] == link
    assert visitor.post(link)["Location"] == f"/teams/{team.pk}/?done=joined"


def test_a_mail_to_one_is_for_nobody_else(
    owner: Person, stranger: Person, team: Team, client_of: ClientOf, next_mail: NextMail
) -> None:
    link = mailed_link(client_of(owner), team, "new@team.example", next_mail)
    client = client_of(stranger)
    for response in (client.get(link), client.post(link)):
        assert response.status_code == 403
        assert "This invitation is for new@team.example, and you are signed in as" in text(response)
    assert not Membership.objects.filter(person=stranger).exists()
    out = client.post("/accounts/logout/", {"next": link})
    assert out["Location"] == link


def test_by_a_link_an_address_is_proven_by_mail_before_there_is_an_account(
    owner: Person, team: Team, client_of: ClientOf, next_mail: NextMail
) -> None:
    link = made_link(client_of(owner), team, uses=1)
    visitor = Client()
    assert "I have an account: sign in" in text(visitor.get(link))
    assert send(visitor, link, email="nobody").status_code == 422
    # The password that comes too early makes nothing.
    assert "Look into your mail" in text(send(visitor, link, email="New@team.example", **NEW))
    assert not Person.objects.filter(email="new@team.example").exists()
    assert Invitation.objects.get().uses == 0
    message = next_mail()
    assert message.to == ["new@team.example"]
    proof = link_in(str(message.body))
    assert "new@team.example" in text(visitor.get(proof))
    assert visitor.post(proof, NEW)["Location"] == f"/teams/{team.pk}/"
    assert of(Person.objects.get(email="new@team.example")).role == "member"
    assert_over(Client(), link)
    assert_over(Client(), proof)


def test_by_a_link_nobody_learns_who_has_an_account(
    owner: Person, stranger: Person, team: Team, client_of: ClientOf, next_mail: NextMail
) -> None:
    link = made_link(client_of(owner), team)
    answers = []
    for email in ("new@team.example", stranger.email):
        answers.append(text(send(Client(), link, email=email)).replace(email, "ADDRESS"))
    assert answers[0] == answers[1]
    assert "Make your account" in next_mail().subject
    message = next_mail()
    assert "You have an account" in message.subject
    assert link_in(str(message.body)) == link


def test_mails_to_one_address_are_few(owner: Person, team: Team, client_of: ClientOf) -> None:
    link = made_link(client_of(owner), team)
    for _ in range(8):
        assert send(Client(), link, email="new@team.example").status_code == 200
    from chats import accounts

    accounts._post.submit(lambda: None).result()
    assert len(mail.outbox) == 5


def test_a_proof_holds_a_day_and_goes_with_its_link(
    owner: Person, team: Team, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(owner)
    link = made_link(client, team)
    invitation = Invitation.objects.get()
    fresh = f"/invitations/{newcomers.proof(invitation, 'new@team.example')}/"
    with monkeypatch.context() as context:
        long_ago = timezone.now() - timedelta(days=1, minutes=1)
        context.setattr("django.core.signing.time.time", long_ago.timestamp)
        old = f"/invitations/{newcomers.proof(invitation, 'new@team.example')}/"
    assert_over(Client(), old)
    assert Client().get(fresh).status_code == 200
    assert_over(Client(), f"{fresh[:-2]}x/")
    response = client.post(f"/teams/{team.pk}/invitations/{invitation.pk}/resend/")
    assert response.status_code == 201
    assert_over(Client(), fresh)
    assert_over(Client(), link)
    assert Client().get(link_in(text(response))).status_code == 200


def _expire(invitation: Invitation, owner: Person) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def _revoke(invitation: Invitation, owner: Person) -> None:
    invitations.revoke(invitation, actor=owner, address=None)


def _use_up(invitation: Invitation, owner: Person) -> None:
    Invitation.objects.update(uses=3)


def _lower_inviter(invitation: Invitation, owner: Person) -> None:
    Membership.objects.filter(person=owner).update(role="member")


def _remove_inviter(invitation: Invitation, owner: Person) -> None:
    Membership.objects.filter(person=owner).delete()


def _deactivate_inviter(invitation: Invitation, owner: Person) -> None:
    Person.objects.filter(pk=owner.pk).update(is_active=False)


@pytest.mark.parametrize(
    "end",
    [_expire, _revoke, _use_up, _lower_inviter, _remove_inviter, _deactivate_inviter],
)
def test_whatever_has_ended_one_all_answers_are_alike(
    end: Callable[[Invitation, Person], None],
    owner: Person,
    stranger: Person,
    team: Team,
    client_of: ClientOf,
) -> None:
    link = made_link(client_of(owner), team)
    end(Invitation.objects.get(), owner)
    for client in (Client(), client_of(stranger)):
        seen = [client.get(place) for place in (link, "/invitations/unknown/")]
        assert [response.status_code for response in seen] == [404, 404]
        assert text(seen[0]) == text(seen[1])
        assert client.post(link, NEW).status_code == 404
    assert not Membership.objects.filter(person=stranger).exists()


def test_who_guesses_tokens_is_slowed_and_a_right_one_works_all_the_same(
    owner: Person, team: Team, client_of: ClientOf
) -> None:
    link, visitor = made_link(client_of(owner), team), Client()
    statuses = [visitor.get(f"/invitations/guess-{number}/").status_code for number in range(200)]
    assert statuses.count(404) == 20
    assert set(statuses[20:]) == {429}
    assert visitor.get(link).status_code == 200


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(
    owner: Person, mate: Person, team: Team, client_of: ClientOf, next_mail: NextMail
) -> None:
    client, place = client_of(owner), f"/teams/{team.pk}/invitations/"
    mailed_link(client, team, "new@team.example", next_mail)
    fields = {"way": "email", "email": "a@team.example", "role": "viewer", "days": 3, "uses": 4}
    for wrong, said in (
        ({"email": "nobody"}, "This is not an e-mail address."),
        ({"email": ""}, "Enter the address of whoever you invite."),
        ({"email": mate.email}, "belongs to the team already"),
        ({"email": "NEW@team.example"}, "This address is invited already."),
        ({"role": "boss"}, "Choose a role that you may give."),
        ({"days": 0}, "An invitation can be open for 1 to 90 days."),
        ({"days": "soon"}, "An invitation can be open for 1 to 90 days."),
        ({"way": "link", "uses": 501}, "A link can be used by 1 to 500 people."),
        ({"way": "link", "uses": ""}, "A link can be used by 1 to 500 people."),
        ({"way": "pigeon"}, "pigeon is not one of the available choices"),
    ):
        refused = send(client, place, **(fields | wrong))
        assert refused.status_code == 422, wrong
        assert said in text(refused), wrong
        assert 'value="viewer" selected' in text(refused) or "role" in wrong
    assert Invitation.objects.count() == 1


def test_one_is_revoked_and_sent_again_by_those_who_might_make_it(
    owner: Person, mate: Person, team: Team, client_of: ClientOf, next_mail: NextMail
) -> None:
    boss = client_of(owner)
    old = mailed_link(boss, team, "new@team.example", next_mail)
    of_admins = made_link(boss, team, role="admin")
    first, second = Invitation.objects.order_by("pk")
    Membership.objects.filter(person=mate).update(role="admin")
    admin, place = client_of(mate), f"/teams/{team.pk}/invitations"
    for verb in ("resend", "revoke"):
        assert admin.post(f"{place}/{second.pk}/{verb}/").status_code == 403
    assert admin.post(f"{place}/{first.pk}/resend/").status_code == 303
    new = link_in(str(next_mail().body))
    assert_over(Client(), old)
    assert Client().get(new).status_code == 200
    # It is the admin's now, and lasts as long as they may invite.
    assert f"by {mate.shown_name}" in text(boss.get(f"{place}/"))
    Membership.objects.filter(person=mate).update(role="member")
    assert_over(Client(), new)
    assert "who invited may not any more" in text(boss.get(f"{place}/"))
    assert boss.post(f"{place}/{second.pk}/revoke/")["Location"] == f"{place}/?done=revoked"
    assert boss.post(f"{place}/{second.pk}/revoke/").status_code == 409
    assert boss.post(f"{place}/{second.pk}/resend/").status_code == 409
    assert_over(Client(), of_admins)
    assert [event for event in events() if event.startswith("invitation")] == [
        "invitation.made",
        "invitation.made",
        "invitation.resent",
        "invitation.revoked",
    ]


def test_invitations_that_one_may_send_in_an_hour_are_limited(
    owner: Person, team: Team, client_of: ClientOf
) -> None:
    client = client_of(owner)
    made_link(client, team)
    place = f"/teams/{team.pk}/invitations/{Invitation.objects.get().pk}/resend/"
    assert client.post(place).status_code == 201
    request = RequestFactory().get("/")
    assert sum(throttle.may_invite(request, owner) for _ in range(200)) == 58
    assert client.post(place).status_code == 429
    assert "You have invited many people" in text(
        send(client, f"/teams/{team.pk}/invitations/", way="link", role="viewer", days=7, uses=1)
    )


def test_the_staff_invites_to_an_account_alone(
    admin: Person, owner: Person, client_of: ClientOf, next_mail: NextMail
) -> None:
    client = client_of(admin)
    sent = send(client, "/invitations/", way="email", email="new@team.example", days=7)
    assert sent["Location"] == "/invitations/?done=sent"
    link = link_in(str(next_mail().body))
    assert "You have an account here already" in text(client_of(owner).get(made_for_all(client)))
    visitor = Client()
    assert visitor.post(link, NEW)["Location"] == "/"
    assert not Membership.objects.exists()
    found = Invitation.objects.order_by("pk").last()
    assert found
    for who in (owner, None):
        other = client_of(who)
        status = 302 if who is None else 404
        assert other.get("/invitations/").status_code == status
        for verb in ("revoke", "resend"):
            assert other.post(f"/invitations/{found.pk}/{verb}/").status_code == status
    assert client.post(f"/invitations/{found.pk}/resend/").status_code == 201
    assert client.post(f"/invitations/{found.pk}/revoke/").status_code == 303
    assert client.post("/invitations/987654/revoke/").status_code == 404


def made_for_all(client: Client) -> str:
    return link_in(text(send(client, "/invitations/", way="link", uses=2, days=7)))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_the_last_use_at_once_one_is_in() -> None:
    team = Team.objects.create(name="Team")
    boss = Person.objects.create_user("boss@team.example")
    Membership.objects.create(team=team, person=boss, role="owner")
    made, _ = invitations.invite(team, "member", inviter=boss, uses=1, address=None)
    people = [Person.objects.create_user(f"{name}@team.example") for name in ("one", "two")]
    barrier, refused = Barrier(2), []

    def accept(person: Person) -> None:
        barrier.wait()
        try:
            invitations.accept(made, person, address=None)
        except Over:
            refused.append(person)
        finally:
            connection.close()

    threads = [Thread(target=accept, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert Membership.objects.filter(role="member").count() == 1
    assert Invitation.objects.get().uses == 1

"""What staff do to an account, and what it means for whoever has it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMessage
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from chats import demo
from chats.accounts import standing
from chats.accounts.standing import Rank
from chats.models import AuditEntry, Chat, Person, Queued
from tests.accounts.test_password import NEW, RESET, link_in, signs_in
from tests.proof import app_of, code, proved

ClientOf = Callable[[Person | None], Client]
NextMail = Callable[[], EmailMessage]


@pytest.fixture
def superuser(admin: Person) -> Person:
    Person.objects.filter(pk=admin.pk).update(is_superuser=True)
    admin.refresh_from_db()
    return admin


def place(person: Person, name: str) -> str:
    return reverse("manage_act", args=[person.pk, name])


def body(response: HttpResponseBase) -> str:
    return getattr(response, "content", b"").decode()


def signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def noted() -> list[tuple[str, int | None, int | None, dict[str, object]]]:
    rows = AuditEntry.objects.filter(event__startswith="account.").order_by("pk")
    return [(row.event, row.actor, row.person, row.details) for row in rows]


def test_who_is_deactivated_is_out_everywhere_and_gets_in_by_no_way(
    mate: Person, admin: Person, client_of: ClientOf, next_mail: NextMail
) -> None:
    typed = Client(headers={"user-agent": "Firefox on a phone"})
    assert signs_in(mate.email, demo.PASSWORD, typed)
    silent = client_of(mate)
    told_of = UserSession.objects.filter(user_agent="Firefox on a phone")
    UserSession.objects.exclude(pk=told_of.get().pk).delete()
    Client().post(RESET, {"email": mate.email})
    reset = link_in(next_mail())
    staff = client_of(admin)
    page = body(staff.get(place(mate, "deactivate")))
    assert "not by a mail to reset the password either" in page
    assert signed_in(typed)
    assert signed_in(silent)
    assert staff.post(place(mate, "deactivate"))["Location"].endswith("?done=deactivate")
    assert not signed_in(typed)
    assert not signed_in(silent)
    assert not UserSession.objects.filter(user=mate).exists()
    assert Session.objects.count() == 1, "the one of the staff"
    assert not signs_in(mate.email, demo.PASSWORD)
    Client().post(RESET, {"email": mate.email})
    assert mail.outbox == []
    assert "no longer works" in body(Client().get(reset, follow=True))
    assert noted() == [("account.deactivated", admin.pk, mate.pk, {"sessions": 2})]
    assert "was so already" in body(staff.post(place(mate, "deactivate"), follow=True))
    assert "They can sign in again as before" in body(staff.get(place(mate, "reactivate")))
    staff.post(place(mate, "reactivate"))
    assert not signed_in(typed), "no session of before comes back"
    assert signs_in(mate.email, demo.PASSWORD)
    assert [row[0] for row in noted()] == ["account.deactivated", "account.reactivated"]


def test_who_is_deactivated_between_password_and_code_does_not_get_in(
    mate: Person, admin: Person
) -> None:
    app_of(mate)
    client = Client()
    client.post("/accounts/login/", {"login": mate.email, "password": demo.PASSWORD})
    standing.deactivate(mate, actor=admin, address=None)
    client.post(reverse("mfa_authenticate"), {"code": code()})
    assert not signed_in(client)
    standing.reactivate(mate, actor=admin, address=None)
    assert not signed_in(client)


def test_what_will_happen_is_counted_before(
    mate: Person, admin: Person, client_of: ClientOf
) -> None:
    chat = Chat.objects.create(owner=mate)
    for position in (1, 2):
        Queued.objects.create(
            chat=chat,
            person=mate,
            token=f"00000000-0000-0000-0000-00000000000{position}",
            position=position,
            payload={"message": "Waits"},
        )
    page = body(client_of(admin).get(place(mate, "deactivate")))
    assert "2 messages that wait will not be sent" in page
    assert "No answer of theirs runs" in page
    assert "0 in teams" in page
    assert "1 personal" in page


def test_the_right_is_asked_again_at_the_moment_of_the_change(
    owner: Person, mate: Person, superuser: Person
) -> None:
    """Of two superusers who act on each other at once, the second one is none any more."""
    Person.objects.filter(pk=mate.pk).update(is_staff=True, is_superuser=True)
    mate.refresh_from_db()
    standing.deactivate(mate, actor=superuser, address=None)
    for change in (standing.deactivate, standing.end_sessions):
        with pytest.raises(PermissionDenied):
            change(superuser, actor=mate, address=None)
    with pytest.raises(PermissionDenied):
        standing.set_rank(superuser, Rank.PERSON, actor=mate, address=None)
    with pytest.raises(PermissionDenied):
        standing.set_rank(superuser, Rank.PERSON, actor=superuser, address=None)
    assert Person.objects.filter(is_superuser=True, is_active=True).get() == superuser
    assert [row[0] for row in noted()] == ["account.deactivated"]


def test_a_superuser_changes_rights_and_the_person_signs_in_anew(
    mate: Person, superuser: Person, client_of: ClientOf
) -> None:
    client, theirs = client_of(superuser), client_of(mate)
    asked = client.post(place(mate, "rank"), {"rank": "superuser"})
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert not Person.objects.get(pk=mate.pk).is_superuser
    proved(client, superuser)
    page = body(client.get(place(mate, "rank")))
    assert re.search(r'value="person"[^>]*checked', page)
    for wrong in ({}, {"rank": "god"}):
        response = client.post(place(mate, "rank"), wrong)
        assert response.status_code == 422
        assert "Choose one of the three." in body(response)
    assert signed_in(theirs)
    for wanted, rights in (("staff", (True, False)), ("superuser", (True, True))):
        assert client.post(place(mate, "rank"), {"rank": wanted}).status_code == 303
        mate.refresh_from_db()
        assert (mate.is_staff, mate.is_superuser) == rights
    assert not signed_in(theirs)
    assert client_of(mate).get("/manage/").status_code == 200
    client.post(place(mate, "rank"), {"rank": "person"})
    mate.refresh_from_db()
    assert (mate.is_staff, mate.is_superuser) == (False, False)
    assert [row[3] for row in noted()] == [
        {"before": "person", "after": "staff"},
        {"before": "staff", "after": "superuser"},
        {"before": "superuser", "after": "person"},
    ]


def test_a_reset_mail_is_the_one_they_would_get_and_the_log_holds_no_link(
    mate: Person,
    admin: Person,
    client_of: ClientOf,
    next_mail: NextMail,
    settings: Settings,
) -> None:
    client, theirs = client_of(admin), client_of(mate)
    assert "the old one goes on working" in body(client.get(place(mate, "reset")))
    client.post(place(mate, "reset"))
    message = next_mail()
    assert (message.to, message.subject) == ([mate.email], "Choose a new password for v0web")
    assert signed_in(theirs)
    page = Client()
    chosen = page.get(link_in(message), follow=True).redirect_chain[-1][0]
    page.post(chosen, {"password1": NEW, "password2": NEW})
    assert signs_in(mate.email, NEW)
    assert ("account.reset-sent", admin.pk, mate.pk, {}) in noted()
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    shown = body(client.get(reverse("manage_person", args=[mate.pk])))
    assert "this installation sends no mail" in shown
    assert place(mate, "reset") not in shown
    assert client.post(place(mate, "reset"))["Location"].endswith("?done=already")


def test_one_session_ends_or_all_of_them(mate: Person, admin: Person, client_of: ClientOf) -> None:
    browsers = [Client(headers={"user-agent": name}) for name in ("Firefox/1", "Safari/1", "Edg/1")]
    for browser in browsers:
        assert signs_in(mate.email, demo.PASSWORD, browser)
    client = client_of(admin)
    rows = {row.user_agent: row for row in UserSession.objects.all()}
    listed = body(client.get("/manage/sessions/"))
    for name in ("Firefox", "Safari", "Edge", mate.email, "127.0.0.1"):
        assert name in listed
    end = reverse("manage_session_end", args=[rows["Firefox/1"].pk])
    assert "Their other sessions stay." in body(client.get(end))
    assert client.post(end)["Location"].endswith("?done=session")
    assert [signed_in(browser) for browser in browsers] == [False, True, True]
    assert client.post(end).status_code == 404
    assert "(2 sessions)" in body(client.get(place(mate, "sessions")))
    client.post(place(mate, "sessions"))
    assert [signed_in(browser) for browser in browsers] == [False] * 3
    assert signs_in(mate.email, demo.PASSWORD)
    entries = AuditEntry.objects.filter(event="sign-in.sessions-ended").order_by("pk")
    assert [entry.details for entry in entries] == [{"sessions": 1}, {"sessions": 2}]


def test_who_lost_every_second_factor_gets_in_again_by_the_password(
    mate: Person, admin: Person, client_of: ClientOf, next_mail: NextMail
) -> None:
    client = proved(client_of(admin), admin)
    assert client.post(place(mate, "factor"))["Location"].endswith("?done=already")
    app_of(mate)
    theirs = Client()
    assert not signs_in(mate.email, demo.PASSWORD, theirs), "the second factor is asked for"
    shown = body(client.get(reverse("manage_person", args=[mate.pk])))
    assert "Recovery codes, codes of an app" in shown
    assert "Take away the second factor…" in shown
    assert "Be sure that it is they who ask." in body(client.get(place(mate, "factor")))
    assert client.post(place(mate, "factor"))["Location"].endswith("?done=factor")
    assert signs_in(mate.email, demo.PASSWORD)
    assert next_mail().to == [mate.email]
    removed = AuditEntry.objects.get(event="mfa.removed")
    assert (removed.actor, removed.person) == (admin.pk, mate.pk)


def test_djangos_admin_changes_no_rights(
    mate: Person, superuser: Person, client_of: ClientOf
) -> None:
    fields = {"email": mate.email, "name": "New", "is_staff": "on", "is_superuser": "on"}
    response = client_of(superuser).post(f"/admin/chats/person/{mate.pk}/change/", fields)
    assert response.status_code == 302
    mate.refresh_from_db()
    assert (mate.name, mate.is_active, mate.is_staff) == ("New", True, False)

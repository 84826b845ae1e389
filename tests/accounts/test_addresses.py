"""Another e-mail address: it counts when its link was opened, and nobody learns who has an account."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from chats import demo
from chats.accounts import deletion
from chats.accounts.addresses import LASTS
from chats.models import AuditEntry, EmailChange, Person
from tests.proof import proved

EMAIL, SECURITY = "/settings/security/email/", "/settings/security/"
NEW = "new@example.com"
NextMail = Callable[[], EmailMessage]


@pytest.fixture
def client(client_of: Callable[[Person | None], Client], owner: Person) -> Client:
    return proved(client_of(owner), owner)


def link(mail: EmailMessage) -> str:
    found = re.search(r"http://testserver(/\S+)", str(mail.body))
    assert found, mail.body
    return found[1]


def asked(
    client: Client, next_mail: NextMail, email: str = NEW
) -> tuple[EmailMessage, EmailMessage]:
    """Asks for another address; the mails to it and to the one of before."""
    assert client.post(EMAIL, {"email": email}).status_code == 303
    return next_mail(), next_mail()


def test_nothing_changes_before_the_link_is_opened(
    client: Client, owner: Person, next_mail: NextMail
) -> None:
    to_new, to_old = asked(client, next_mail, "New@Example.com")
    assert (to_new.to, to_old.to) == ([NEW], [owner.email])
    assert NEW in str(to_old.body)
    # The address of before gets a link that cancels, and none that confirms.
    assert "/email/confirm/" not in str(to_old.body)
    page = client.get(SECURITY).content.decode()
    assert f"{NEW} waits for its link" in page
    nobody = Client()
    nobody.post("/accounts/login/", {"login": NEW, "password": demo.PASSWORD})
    assert "_auth_user_id" not in nobody.session
    nobody.post("/accounts/password/reset/", {"email": NEW})
    owner.refresh_from_db()
    assert owner.email == "owner@example.com"


def test_the_link_makes_it_so_and_the_address_of_before_is_told(
    client: Client, owner: Person, next_mail: NextMail
) -> None:
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    to_new, _ = asked(client, next_mail)
    nobody = Client()
    page = nobody.get(link(to_new))
    assert page.status_code == 200
    owner.refresh_from_db()
    assert owner.email == "owner@example.com", "programs that look through mail open links"
    assert "is yours now" in nobody.post(link(to_new)).content.decode()
    owner.refresh_from_db()
    assert owner.email == NEW
    rows = EmailAddress.objects.filter(user=owner)
    assert [(row.email, row.verified, row.primary) for row in rows] == [(NEW, True, True)]
    told = next_mail()
    assert told.to == ["owner@example.com"]
    assert NEW in str(told.body)
    entry = AuditEntry.objects.get(event="account.email")
    assert (entry.actor, entry.details) == (owner.pk, {"old": "owner@example.com", "new": NEW})
    # Once, and the session of who asked goes on.
    assert nobody.post(link(to_new)).status_code == 404
    assert "Verified" in client.get(SECURITY).content.decode()
    old = Client()
    old.post("/accounts/login/", {"login": "owner@example.com", "password": demo.PASSWORD})
    assert "_auth_user_id" not in old.session


@pytest.mark.parametrize("end", ["later", "cancelled", "replaced", "deactivated", "odd"])
def test_a_link_works_no_more(client: Client, owner: Person, next_mail: NextMail, end: str) -> None:
    to_new, _ = asked(client, next_mail)
    place = link(to_new)
    match end:
        case "later":
            EmailChange.objects.update(asked_at=timezone.now() - LASTS - timedelta(seconds=1))
        case "cancelled":
            client.post("/settings/security/email/cancel/")
        case "replaced":
            asked(client, next_mail, "other@example.com")
        case "deactivated":
            Person.objects.update(is_active=False)
        case "odd":
            place = place[:-2] + "x/"
    nobody = Client()
    assert nobody.get(place).status_code == nobody.post(place).status_code == 404
    owner.refresh_from_db()
    assert owner.email != NEW


def test_the_address_of_before_can_cancel_it(
    client: Client, owner: Person, next_mail: NextMail
) -> None:
    to_new, to_old = asked(client, next_mail)
    nobody = Client()
    assert "Keep your address?" in nobody.get(link(to_old)).content.decode()
    assert EmailChange.objects.exists()
    assert "Your address stays" in nobody.post(link(to_old)).content.decode()
    assert nobody.get(link(to_new)).status_code == 404
    assert nobody.get(link(to_old)).status_code == 404
    assert not EmailChange.objects.exists()


def test_a_link_that_cancels_confirms_nothing(client: Client, next_mail: NextMail) -> None:
    to_new, to_old = asked(client, next_mail)
    token = link(to_old).removeprefix("/accounts/email/cancel/")
    assert Client().post(f"/accounts/email/confirm/{token}").status_code == 404
    token = link(to_new).removeprefix("/accounts/email/confirm/")
    assert Client().post(f"/accounts/email/cancel/{token}").status_code == 404
    assert EmailChange.objects.exists()


def test_an_address_of_somebody_else_is_answered_like_a_free_one(
    client: Client, owner: Person, mate: Person, next_mail: NextMail
) -> None:
    answers = []
    for email in (NEW, mate.email):
        response = client.post(EMAIL, {"email": email})
        page = client.get(response["Location"]).content.decode()
        page = re.sub(r'csrfmiddlewaretoken" value="\w+"|X-CSRFToken[^}]*', "", page)
        page = re.sub(r"<time.*?</time>", "", page)
        answers.append((response.status_code, response["Location"], page.replace(email, "EMAIL")))
        to_new, to_old = next_mail(), next_mail()
        assert (to_new.to, to_old.to) == ([email], [owner.email])
        assert ("/email/confirm/" in str(to_new.body)) == (email == NEW)
    assert answers[0] == answers[1]


def test_of_two_who_want_an_address_the_first_link_decides(
    client: Client,
    owner: Person,
    mate: Person,
    client_of: Callable[..., Client],
    next_mail: NextMail,
) -> None:
    mine, _ = asked(client, next_mail)
    theirs, _ = asked(proved(client_of(mate), mate), next_mail)
    assert Client().post(link(theirs)).status_code == 200
    assert Client().post(link(mine)).status_code == 404
    owner.refresh_from_db()
    assert owner.email == "owner@example.com"


def test_an_unproved_address_is_proved_by_a_link_to_it(
    client: Client, owner: Person, next_mail: NextMail
) -> None:
    assert "Verify it" in client.get(SECURITY).content.decode()
    assert client.post("/settings/security/email/prove/").status_code == 303
    sent = next_mail()
    assert sent.to == [owner.email]
    Client().post(link(sent))
    page = client.get(SECURITY).content.decode()
    assert "Verified" in page
    assert "Verify it" not in page


@pytest.mark.parametrize("email", ["", "no", "owner@example.com", "Owner@Example.com", "a\n@b.c"])
def test_a_bad_address_is_refused_and_kept(client: Client, email: str) -> None:
    response = client.post(EMAIL, {"email": email})
    assert response.status_code == 422
    assert 'id="email-error"' in response.content.decode()
    assert not EmailChange.objects.exists()


def test_nobody_has_many_mails_sent(client: Client) -> None:
    codes = [client.post(EMAIL, {"email": f"{n}@example.com"}).status_code for n in range(7)]
    assert codes == [303] * 5 + [429] * 2


def test_an_address_that_the_admin_takes_away_is_gone_everywhere(owner: Person) -> None:
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    owner.email = "other@example.com"
    owner.save()
    assert not EmailAddress.objects.filter(user=owner).exists()


def test_an_account_that_is_deleted_leaves_no_address_that_it_wanted(
    client: Client, owner: Person, next_mail: NextMail
) -> None:
    to_new, _ = asked(client, next_mail)
    deletion.delete(owner, giving=(), asked=(), address=None)
    assert not EmailChange.objects.exists()
    assert Client().post(link(to_new)).status_code == 404

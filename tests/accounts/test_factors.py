"""Second factors: an app for codes, recovery codes, and what is asked for after the password."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.mail import EmailMessage
from django.test import Client, RequestFactory
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks, Settings

from chats import demo
from chats.accounts.factors import reset_second_factor
from chats.models import AuditEntry, Person
from tests.proof import SECRET, app_of, code, field, proved, recovery_codes

LOGIN, FACTOR, SECURITY = "/accounts/login/", "/accounts/second-factor/", "/settings/security/"
APP, CODES = "/settings/security/app/", "/settings/security/codes/"
NextMail = Callable[[], EmailMessage]


@pytest.fixture
def client(client_of: Callable[[Person | None], Client], owner: Person) -> Client:
    return proved(client_of(owner), owner)


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def after_password(person: Person) -> Client:
    client = Client()
    response = client.post(LOGIN, {"login": person.email, "password": demo.PASSWORD})
    assert response["Location"] == FACTOR
    assert not signed_in(client)
    return client


def shown_secret(page: str) -> str:
    return "".join(page.split('id="secret"')[1].split(">")[1].split("<")[0].split())


def test_an_app_is_set_up_by_its_first_code(
    client: Client,
    owner: Person,
    next_mail: NextMail,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    page = client.get(APP).content.decode()
    secret = shown_secret(page)
    assert '<svg class="security-qr"' in page
    fields = {"secret": field(page, "secret")}
    wrong = client.post(APP, {**fields, "code": "000000"})
    assert wrong.status_code == 422
    assert shown_secret(wrong.content.decode()) == secret, "the app has read it already"
    assert not Authenticator.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(APP, {**fields, "code": f" {code(secret)[:3]} {code(secret)[3:]}"})
    assert response["Location"] == f"{CODES}?new"
    assert "set up" in next_mail().subject
    assert len(recovery_codes(owner)) == 10
    # The database holds neither in a form that could be used.
    for held in Authenticator.objects.all():
        assert secret not in str(held.data)
        assert held.data.get("seed", "gAAAA").startswith("gAAAA")
    assert client.get(APP)["Location"] == f"{SECURITY}?done=app-there"


def test_a_secret_is_for_the_person_whom_it_was_shown(
    client: Client, mate: Person, client_of: Callable[..., Client]
) -> None:
    page = proved(client_of(mate), mate).get(APP).content.decode()
    fields = {"secret": field(page, "secret"), "code": code(shown_secret(page))}
    response = client.post(APP, fields)
    assert response.status_code == 422
    assert "too old" in response.content.decode()
    assert not Authenticator.objects.exists()


def test_after_the_password_a_code_is_asked_for(owner: Person) -> None:
    app_of(owner)
    client = after_password(owner)
    assert client.get(SECURITY).status_code == 302
    wrong = client.post(FACTOR, {"code": "000000"})
    assert wrong.status_code == 422
    assert 'id="code-error"' in wrong.content.decode()
    before = client.session.session_key
    response = client.post(FACTOR, {"code": code()})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert signed_in(client)
    assert client.session.session_key != before
    assert "last used" in client.get(SECURITY).content.decode()


def test_a_code_works_once_on_all_ways(owner: Person) -> None:
    app_of(owner)
    used = code()
    assert after_password(owner).post(FACTOR, {"code": used}).status_code == 302
    assert after_password(owner).post(FACTOR, {"code": used}).status_code == 422


def test_a_recovery_code_signs_in_once(owner: Person) -> None:
    app_of(owner)
    first, second = recovery_codes(owner)[:2]
    assert after_password(owner).post(FACTOR, {"code": first}).status_code == 302
    assert after_password(owner).post(FACTOR, {"code": first}).status_code == 422
    assert after_password(owner).post(FACTOR, {"code": second}).status_code == 302
    assert len(recovery_codes(owner)) == 8
    assert AuditEntry.objects.filter(event="mfa.recovery-code-used").count() == 2


def test_guessing_codes_ends(owner: Person) -> None:
    app_of(owner)
    client = after_password(owner)
    codes = [client.post(FACTOR, {"code": f"{n:06}"}).status_code for n in range(7)]
    assert codes == [422] * 5 + [429] * 2
    assert not signed_in(client)


def test_who_gave_no_password_is_asked_for_it(owner: Person) -> None:
    app_of(owner)
    client = Client()
    assert client.get(FACTOR)["Location"] == LOGIN
    client.post(FACTOR, {"code": code()})
    assert not signed_in(client)


def test_recovery_codes_are_shown_downloaded_and_made_anew(
    client: Client, owner: Person, next_mail: NextMail,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:  # fmt: skip
    assert client.get(CODES).status_code == client.get(f"{CODES}new/").status_code == 404
    app_of(owner)
    codes = recovery_codes(owner)
    page = client.get(CODES).content.decode()
    assert all(f"<code>{each}</code>" in page for each in codes)
    download = client.get(f"{CODES}download/")
    assert "attachment" in download["Content-Disposition"]
    assert all(each in download.content.decode() for each in codes)
    assert "worth nothing then" in client.get(f"{CODES}new/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{CODES}new/")
    assert next_mail().subject == "New recovery codes"
    assert not set(codes) & set(recovery_codes(owner))
    assert after_password(owner).post(FACTOR, {"code": codes[0]}).status_code == 422


def test_the_app_is_removed_after_saying_what_is_left(
    client: Client, owner: Person, next_mail: NextMail
) -> None:
    assert client.get(f"{APP}remove/").status_code == 404
    app_of(owner)
    assert "Nothing but your password" in client.get(f"{APP}remove/").content.decode()
    assert client.post(f"{APP}remove/")["Location"] == f"{SECURITY}?done=app-removed"
    assert not Authenticator.objects.exists()
    assert next_mail().subject == "The app for codes was removed"
    other = Client()
    other.post(LOGIN, {"login": owner.email, "password": demo.PASSWORD})
    assert signed_in(other)


def test_a_deactivated_person_gets_no_further_than_the_password(owner: Person) -> None:
    app_of(owner)
    client = after_password(owner)
    Person.objects.update(is_active=False)
    client.post(FACTOR, {"code": code()})
    assert client.get(SECURITY).status_code == 302


def test_a_new_password_by_mail_takes_no_factor_away(owner: Person, next_mail: NextMail) -> None:
    app_of(owner)
    client = Client()
    client.post("/accounts/password/reset/", {"email": owner.email})
    link = re.search(r"http://testserver(/\S+)", str(next_mail().body))
    assert link
    place = client.get(link[1])["Location"]
    client.post(place, {"password1": "long-and-odd-7", "password2": "long-and-odd-7"})
    assert not signed_in(client)
    response = client.post(LOGIN, {"login": owner.email, "password": "long-and-odd-7"})
    assert response["Location"] == FACTOR


def test_who_lost_everything_is_let_in_by_a_reset(
    owner: Person, admin: Person, client_of: Callable[..., Client], next_mail: NextMail
) -> None:
    app_of(owner)
    client = client_of(owner)
    request = RequestFactory().post("/")
    request.user, request.session = admin, client_of(admin).session
    assert reset_second_factor(request, owner) == 2
    assert client.get(SECURITY).status_code == 302
    assert not UserSession.objects.filter(user=owner).exists()
    entry = AuditEntry.objects.get(event="mfa.removed")
    assert (entry.actor, entry.person) == (admin.pk, owner.pk)
    told = next_mail()
    assert told.to == [owner.email]
    other = Client()
    other.post(LOGIN, {"login": owner.email, "password": demo.PASSWORD})
    assert signed_in(other)
    assert reset_second_factor(request, owner) == 0


def test_secrets_of_another_secret_key_open_nothing(owner: Person, settings: Settings) -> None:
    app_of(owner)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" * 8
    assert after_password(owner).post(FACTOR, {"code": code(SECRET)}).status_code == 302
    settings.SECRET_KEY_FALLBACKS = []
    assert after_password(owner).post(FACTOR, {"code": code(steps=1)}).status_code == 422


@pytest.mark.parametrize("required", ["staff", "everybody"])
def test_who_must_have_a_factor_is_led_to_set_one_up(
    admin: Person, settings: Settings, required: str
) -> None:
    settings.V0_REQUIRE_MFA = required
    client = Client()
    client.post(LOGIN, {"login": admin.email, "password": demo.PASSWORD})
    for page in ("/", "/settings/", "/admin/", "/sidebar/", "/nowhere-that-is/", "/usage/"):
        response = client.get(page)
        wanted = (303, f"{SECURITY}?required")
        assert response.status_code == 404 or (
            response.status_code, response["Location"]) == wanted, page  # fmt: skip
    assert client.post("/chats/", {"message": "Hello"}).status_code == 303
    led = client.get("/", headers={"HX-Request": "true"})
    assert led["HX-Redirect"] == f"{SECURITY}?required"
    led_to = client.get(SECURITY).content.decode()
    assert "asks for a second factor" in led_to
    assert "ws-connect" not in led_to, "a socket would be refused, too"
    assert 'id="chats"' not in led_to
    page = client.get(APP).content.decode()
    client.post(APP, {"secret": field(page, "secret"), "code": code(shown_secret(page))})
    assert client.get("/").status_code == 200
    # The last one stays.
    assert client.post(f"{APP}remove/").status_code == 422
    assert Authenticator.objects.filter(type="totp").exists()
    assert client.get("/").status_code == 200


def test_nobody_else_is(
    owner: Person, settings: Settings, client_of: Callable[..., Client]
) -> None:
    settings.V0_REQUIRE_MFA = "staff"
    assert client_of(owner).get("/").status_code == 200

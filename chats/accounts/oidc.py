"""The way in by an OpenID Connect provider, as the settings name one.

Owns what is stricter here than in allauth, which speaks the protocol: PKCE and a nonce always, a
signature that is checked always, an issuer that is the one of the settings, no redirect followed, and
that only a proven address counts. Which account an identity opens is `chats.accounts.identities`. Never
keeps a token of the provider.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Mapping
from typing import Any

import jwt
import requests
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from chats.accounts import groups, identities, sign_up
from chats.accounts.identities import Identity
from chats.accounts.whence import address
from chats.models import Person, invitations

log = logging.getLogger(__name__)
# What goes wrong between the two servers: allauth lets the last ones through for an odd answer.
BROKEN = (
    *(requests.RequestException, OAuth2Error, jwt.PyJWTError),
    *(KeyError, TypeError, ValueError, AttributeError),
)
# None that a secret both sides know would do, which the provider's public key is, too.
SIGNED_BY = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]
STATUS = {"provider": 502, "state": 400}


def is_offered() -> bool:
    return bool(settings.V0_OIDC_ISSUER)


def provider_id() -> str:
    """By the issuer, so that whoever has the same number at another one is somebody else."""
    return "oidc-" + hashlib.sha256(settings.V0_OIDC_ISSUER.encode()).hexdigest()[:16]


def place_to_go(request: HttpRequest) -> str:
    """The provider's address for one sign-in, which is remembered in the session; one of BROKEN."""
    provider, nonce = Provider(request, app=_app()), secrets.token_urlsafe(24)
    response = provider.redirect(
        request,
        process=AuthProcess.LOGIN,
        next_url=get_next_redirect_url(request),
        data={"nonce": nonce},
        auth_params={"nonce": nonce},
    )
    return str(response["Location"])


def come_back(request: HttpRequest) -> HttpResponse:
    """What the provider's answer, in the address, leads to: a session, or words why not."""
    try:
        answer: HttpResponse = _callback(Dialogue(request, provider_id()))(request)
    except BROKEN as error:
        return broken(request, error)
    return answer


def broken(request: HttpRequest, error: Exception | None) -> HttpResponse:
    """The kind is logged alone: what the provider said may hold a token."""
    log.warning("the sign-in by the provider failed: %s", type(error).__name__)
    return problem(request, "provider")


def problem(request: HttpRequest, why: str, **context: object) -> HttpResponse:
    context |= {
        "why": why,
        "provider": settings.V0_OIDC_NAME,
        "domain": settings.V0_OIDC_DOMAIN,
    }
    return render(request, "account/oidc_problem.html", context, status=STATUS.get(why, 403))


def _app() -> SocialApp:
    return SocialApp(
        provider=OpenIDConnectProvider.id,
        provider_id=provider_id(),
        name=settings.V0_OIDC_NAME,
        client_id=settings.V0_OIDC_CLIENT_ID,
        secret=settings.V0_OIDC_CLIENT_SECRET,
        settings={
            "server_url": settings.V0_OIDC_ISSUER.rstrip("/"),
            "oauth_pkce_enabled": True,
            "scope": settings.V0_OIDC_SCOPES,
        },
    )


class Dialogue(OpenIDConnectOAuth2Adapter):
    """What the two servers say to each other."""

    nonce: str | None = None

    @property
    def openid_config(self) -> dict[str, Any]:
        found: dict[str, Any] = super().openid_config
        if found["issuer"].rstrip("/") != settings.V0_OIDC_ISSUER.rstrip("/"):
            raise OAuth2Error("The provider calls itself by another name than the settings do.")
        return found

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return request.build_absolute_uri(reverse("oidc_callback"))

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any
    ) -> Any:
        claims = self._proven(app, kwargs["response"]["id_token"])
        told = self._fetch_user_info(token.token)
        if told["sub"] != claims["sub"]:
            raise OAuth2Error("The provider speaks of two people.")
        provider = Provider(request, app=app)
        login: Any = provider.sociallogin_from_response(request, claims | told)
        # What the provider knows of somebody is for this sign-in: no row keeps it.
        login.claims, login.account.extra_data = login.account.extra_data, {}
        return login

    def _proven(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        """The claims of the token, which was signed by the provider, now, for us and for this sign-in."""
        header = jwt.get_unverified_header(id_token)
        if header["alg"] not in SIGNED_BY:
            raise OAuth2Error("The token is not signed as it must be.")
        claims: dict[str, Any] = jwt.decode(
            id_token,
            jwt.PyJWK(self._key(header.get("kid")), algorithm=header["alg"]),
            algorithms=SIGNED_BY,
            issuer=self.openid_config["issuer"],
            audience=app.client_id,
            leeway=30,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        if not self.nonce or claims.get("nonce") != self.nonce:
            raise OAuth2Error("The token was made for another sign-in.")
        if claims.get("azp", app.client_id) != app.client_id:
            raise OAuth2Error("The token was made for somebody else.")
        return claims

    def _key(self, id: str | None) -> dict[str, Any]:
        """The one that is meant; a provider with a single key need not name it."""
        with get_adapter(self.request).get_requests_session() as session:
            response = session.get(self.openid_config["jwks_uri"])
            response.raise_for_status()
            keys = response.json()["keys"]
        found = [
            key for key in keys if key.get("use", "sig") == "sig" and id in (None, key.get("kid"))
        ]
        if len(found) != 1:
            raise OAuth2Error("The token is signed by no key of the provider.")
        return dict(found[0])


class Callback(OAuth2CallbackView):
    adapter: Dialogue

    def _get_state(
        self, request: HttpRequest, provider: Any
    ) -> tuple[dict[str, Any] | None, HttpResponse | None]:
        state, answer = super()._get_state(request, provider)
        self.adapter.nonce = ((state or {}).get("data") or {}).get("nonce")
        return state, answer


_callback: Any = Callback.adapter_view


class Provider(OpenIDConnectProvider):
    oauth2_adapter_class = Dialogue


class Adapter(DefaultSocialAccountAdapter):
    """What differs from allauth's own ways."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The one of the settings: rows that somebody adds open no way in."""
        return [_app()] if is_offered() else []

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> Provider:
        return Provider(request, app=self.get_app(request, provider))

    def get_requests_session(self) -> requests.Session:
        session: requests.Session = super().get_requests_session()  # type: ignore[no-untyped-call]
        session.max_redirects = 0
        return session

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: Mapping[str, Any]
    ) -> Any:
        """allauth's person has names that ours has not; `pre_social_login` makes whoever is new."""
        return sociallogin.user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """After this the login is that of an account, or there is an answer already."""
        claims: dict[str, Any] = vars(sociallogin)["claims"]
        identity = _identity(request, sociallogin, claims)
        if not sociallogin.is_existing:
            name = str(claims.get("name") or "")[:100]
            sociallogin.user = _person(request, identity, name)
        person = sociallogin.user
        assert isinstance(person, Person)
        if person.is_active:
            identities.follow_groups(request, person, identity.groups)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        # Some providers forget the state when somebody says no.
        if error == AuthError.CANCELLED or request.GET.get("error") == "access_denied":
            why = "cancelled"
        elif exception is None and "state_id" in (extra_context or {}):
            why = "state"
        else:
            raise ImmediateHttpResponse(broken(request, exception))
        raise ImmediateHttpResponse(problem(request, why))


def _identity(request: HttpRequest, login: SocialLogin, claims: Mapping[str, Any]) -> Identity:
    email = str(claims.get("email") or "").lower()
    if not email or claims.get("email_verified") is not True:
        raise ImmediateHttpResponse(problem(request, "unproven", email=email))
    if not sign_up.within(settings.V0_OIDC_DOMAIN, email):
        raise ImmediateHttpResponse(problem(request, "domain", email=email))
    held = groups.named(claims.get(settings.V0_OIDC_GROUPS))
    return Identity(login.account.provider, login.account.uid, email, tuple(sorted(held)))


def _person(request: HttpRequest, identity: Identity, name: str) -> Person:
    """The account that an identity which was not seen before opens."""
    person = Person.objects.filter(email=identity.email).first()
    if person is None:
        person = _new_person(request, identity, name)
    elif identities.is_connected(person, identity.provider):
        raise ImmediateHttpResponse(problem(request, "other", email=identity.email))
    elif not settings.V0_OIDC_TRUST:
        identities.let_wait(request, identity)
        raise ImmediateHttpResponse(problem(request, "proof", email=identity.email))
    if not person.is_active:
        return person
    if not identities.connect(request, person, identity):
        raise ImmediateHttpResponse(problem(request, "other", email=identity.email))
    return person


def _new_person(request: HttpRequest, identity: Identity, name: str) -> Person:
    if not settings.V0_OIDC_SIGN_UP and not invitations.is_invited(identity.email):
        raise ImmediateHttpResponse(problem(request, "unknown", email=identity.email))
    try:
        return sign_up.make_account(
            identity.email, name=name, password=None, address=address(request), by="provider"
        )
    except sign_up.LinkOver:
        raise ImmediateHttpResponse(problem(request, "state")) from None

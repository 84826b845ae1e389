"""The settings of signing in: who keeps accounts, and what allauth is told.

Owns these names alone, for `v0web.settings`, which takes all of them. Each setting that can be given has
one comment line, as there.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from v0web.environment import env_bool, env_float, env_list, env_secret, env_text

# Who may make an account: invitation (whoever is invited) or open (whoever proves an address by mail).
V0_SIGN_UP = env_text("V0_SIGN_UP", "invitation")
# The domain that an address must have to sign up; empty takes every one.
V0_SIGN_UP_DOMAIN = env_text("V0_SIGN_UP_DOMAIN", "")
# Who has to have a second factor: nobody, staff or everybody.
V0_REQUIRE_MFA = env_text("V0_REQUIRE_MFA", "nobody")
# Seconds without a request after which a session ends.
V0_SESSION_IDLE = env_float("V0_SESSION_IDLE", 86_400, least=60)
# Seconds after signing in when a session ends, however much it is used.
V0_SESSION_LONGEST = env_float("V0_SESSION_LONGEST", 1_209_600, least=60)
# Seconds for which a proof of who somebody is counts for what is sensitive.
V0_PROOF_AGE = env_float("V0_PROOF_AGE", 600, least=10)
# Words that passwords must not lean on, such as an organisation's name, beside those of the hosts.
V0_PASSWORD_WORDS = env_list("V0_PASSWORD_WORDS")
# The OpenID Connect provider that people may sign in with, as its https address; empty offers none.
V0_OIDC_ISSUER = env_text("V0_OIDC_ISSUER", "")
# What the provider calls this installation; its redirect address is /accounts/oidc/callback/ here.
V0_OIDC_CLIENT_ID = env_text("V0_OIDC_CLIENT_ID", "")
# The secret that goes with it.
V0_OIDC_CLIENT_SECRET = env_secret("V0_OIDC_CLIENT_SECRET")
# What people call the provider: the button says "Sign in with" it.
V0_OIDC_NAME = env_text("V0_OIDC_NAME", "single sign-on")
# The domain of the proven e-mail that the provider must give; empty takes every one.
V0_OIDC_DOMAIN = env_text("V0_OIDC_DOMAIN", "")
# Whether whoever signs in by the provider gets an account without an invitation; needs V0_OIDC_DOMAIN.
V0_OIDC_SIGN_UP = env_bool("V0_OIDC_SIGN_UP", default=False)
# Whether the provider's word for an address opens the account that is there, without its password once.
V0_OIDC_TRUST = env_bool("V0_OIDC_TRUST", default=False)
# What the provider is asked for, separated by commas.
V0_OIDC_SCOPES = env_list("V0_OIDC_SCOPES", "openid,email,profile")
# The claim that names the groups somebody is in.
V0_OIDC_GROUPS = env_text("V0_OIDC_GROUPS", "groups")
# Teams by group, as group=Team:role with commas between; the team by its name or its number.
V0_OIDC_TEAMS: list[Any] = env_list("V0_OIDC_TEAMS")


def mapped(text: str) -> tuple[str, str, str]:
    """The group, the team and the role of one entry of V0_OIDC_TEAMS."""
    left, _, role = text.rpartition(":")
    group, _, team = left.partition("=")
    if not group or not team or role not in ("owner", "admin", "member", "viewer"):
        raise ImproperlyConfigured(f"V0_OIDC_TEAMS must be like leads=Web:admin; it has {text!r}.")
    return group.strip(), team.strip(), role


V0_OIDC_TEAMS = [mapped(text) for text in V0_OIDC_TEAMS]
if V0_OIDC_ISSUER and not (V0_OIDC_CLIENT_ID and V0_OIDC_CLIENT_SECRET):
    raise ImproperlyConfigured("V0_OIDC_ISSUER needs V0_OIDC_CLIENT_ID and V0_OIDC_CLIENT_SECRET.")
_issuer = urlsplit(V0_OIDC_ISSUER or "https:")
if _issuer.scheme != "https" and _issuer.hostname not in ("localhost", "127.0.0.1"):
    raise ImproperlyConfigured("V0_OIDC_ISSUER must be an https address.")
if V0_OIDC_SIGN_UP and not V0_OIDC_DOMAIN:
    raise ImproperlyConfigured("V0_OIDC_SIGN_UP needs V0_OIDC_DOMAIN: who else could come in?")
if V0_SIGN_UP not in ("invitation", "open"):
    raise ImproperlyConfigured("V0_SIGN_UP must be invitation or open.")
if V0_REQUIRE_MFA not in ("nobody", "staff", "everybody"):
    raise ImproperlyConfigured("V0_REQUIRE_MFA must be nobody, staff or everybody.")

AUTH_USER_MODEL = "chats.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    *(
        {"NAME": f"django.contrib.auth.password_validation.{name}"}
        for name in (
            "UserAttributeSimilarityValidator",
            "MinimumLengthValidator",
            "CommonPasswordValidator",
            "NumericPasswordValidator",
        )
    ),
    {"NAME": "chats.accounts.passwords.OwnWords"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "chats.accounts.Adapter"
SOCIALACCOUNT_ADAPTER = "chats.accounts.oidc.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "chats.accounts.resets.ResetTokens"  # noqa: S105 (a class)
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# A team shares one address; what stops guessing is `chats.accounts.throttle`. What is named here would
# count by account alone, so that a stranger could lock its owner out.
ACCOUNT_RATE_LIMITS = {
    "login": "300/m/ip",
    "login_failed": "60/m/ip",
    "reset_password": "20/m/ip",
    # Each change of an address sends mail to whomever one likes.
    "manage_email": "5/5m/user,20/d/user",
}
MFA_FORMS = {
    "authenticate": "chats.accounts.codes.CodeForm",
    "reauthenticate": "chats.accounts.codes.CodeAgainForm",
}
ACCOUNT_REAUTHENTICATION_TIMEOUT = int(V0_PROOF_AGE)
MFA_ADAPTER = "chats.accounts.factors.Factors"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_RATE_LIMITS = {"webauthn_login": "300/m/ip"}
# One half minute before and after, for clocks that are a little wrong.
MFA_TOTP_TOLERANCE = 1
# What this guards against in allauth, somebody who signs up with another's address, cannot happen here.
MFA_ALLOW_UNVERIFIED_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# No mail to addresses that a stranger typed, and of which we know nothing.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""

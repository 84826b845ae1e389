"""The settings of signing in: who keeps accounts, and what allauth is told.

Owns these names alone, for `v0web.settings`, which takes all of them. Each setting that can be given has
one comment line, as there.
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from v0web.environment import env_text

# Who may make an account: invitation (whoever is invited) or open (whoever proves an address by mail).
V0_SIGN_UP = env_text("V0_SIGN_UP", "invitation")
# The domain that an address must have to sign up; empty takes every one.
V0_SIGN_UP_DOMAIN = env_text("V0_SIGN_UP_DOMAIN", "").removeprefix("@")

if V0_SIGN_UP not in ("invitation", "open"):
    raise ImproperlyConfigured("V0_SIGN_UP must be invitation or open.")

AUTH_USER_MODEL = "chats.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "chats.accounts.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "chats.accounts.resets.ResetTokens"  # noqa: S105 (a class)
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# A team shares one address; what stops guessing is `chats.accounts.throttle`. What is named here would
# count by account alone, so that a stranger could lock its owner out.
ACCOUNT_RATE_LIMITS = {"login": "300/m/ip", "login_failed": "60/m/ip", "reset_password": "20/m/ip"}
MFA_FORMS = {
    "authenticate": "chats.accounts.codes.CodeForm",
    "reauthenticate": "chats.accounts.codes.CodeAgainForm",
}
ACCOUNT_EMAIL_NOTIFICATIONS = True
# No mail to addresses that a stranger typed, and of which we know nothing.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""

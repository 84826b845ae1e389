"""The settings of signing in: who keeps accounts, and what allauth is told.

Owns these names alone, for `v0web.settings`, which takes all of them. Each setting that can be given has
one comment line, as there.
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from v0web.environment import env_float, env_text

# Who may make an account: invitation (whoever is invited) or open (whoever proves an address by mail).
V0_SIGN_UP = env_text("V0_SIGN_UP", "invitation")
# The domain that an address must have to sign up; empty takes every one.
V0_SIGN_UP_DOMAIN = env_text("V0_SIGN_UP_DOMAIN", "").removeprefix("@")
# Who has to have a second factor: nobody, staff or everybody.
V0_REQUIRE_MFA = env_text("V0_REQUIRE_MFA", "nobody")
# Seconds without a request after which a session ends.
V0_SESSION_IDLE = env_float("V0_SESSION_IDLE", 86_400, least=60)
# Seconds after signing in when a session ends, however much it is used.
V0_SESSION_LONGEST = env_float("V0_SESSION_LONGEST", 1_209_600, least=60)
# Seconds for which a proof of who somebody is counts for what is sensitive.
V0_PROOF_AGE = env_float("V0_PROOF_AGE", 600, least=10)

if V0_SIGN_UP not in ("invitation", "open"):
    raise ImproperlyConfigured("V0_SIGN_UP must be invitation or open.")
if V0_REQUIRE_MFA not in ("nobody", "staff", "everybody"):
    raise ImproperlyConfigured("V0_REQUIRE_MFA must be nobody, staff or everybody.")

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
# What a session lasts without a request; `chats.accounts.sessions` prolongs it, and keeps the other limit.
SESSION_COOKIE_AGE = int(min(V0_SESSION_IDLE, V0_SESSION_LONGEST))
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

"""The settings of signing in: who keeps accounts, and what allauth is told.

Owns these names alone, for `v0web.settings`, which takes all of them. Each setting that can be given has
one comment line, as there.
"""

from __future__ import annotations

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
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# A team shares one address; what stops guessing is the limit on failed attempts.
ACCOUNT_RATE_LIMITS = {"login": "300/m/ip"}
ACCOUNT_EMAIL_NOTIFICATIONS = True
# No mail to addresses that a stranger typed, and of which we know nothing.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""

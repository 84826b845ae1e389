"""The URL space. Owns nothing but the order of its parts; `chats.urls` has the pages."""

from __future__ import annotations

from allauth.account import views as account
from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from chats.views import accounts, again, email, factors, oidc, passkeys, sign_up
from v0web.headers import robots
from v0web.health import healthz, readyz

# Those of allauth's pages that are in use, so that a newer allauth opens none by itself.
ACCOUNT_PAGES = [
    path("login/", accounts.login, name="account_login"),
    path("logout/", accounts.logout, name="account_logout"),
    path("oidc/login/", oidc.go, name="oidc_login"),
    path("oidc/callback/", oidc.callback, name="oidc_callback"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", sign_up.sign_up, name="account_signup"),
    path("signup/sent/", sign_up.sent, name="sign_up_sent"),
    path("signup/<str:token>/", sign_up.link, name="sign_up_link"),
    path("again/", again.again, name="account_reauthenticate"),
    path("second-factor/", factors.second_factor, name="mfa_authenticate"),
    path("passkey/", passkeys.sign_in, name="mfa_login_webauthn"),
    path("passkey/challenge/", passkeys.challenge, name="passkey_challenge"),
    path("email/confirm/<str:token>/", email.email_confirm, name="email_confirm"),
    path("email/cancel/<str:token>/", email.email_cancel_by_link, name="email_cancel_by_link"),
    path("password/change/", accounts.password_change, name="account_change_password"),
    path("password/set/", accounts.password_set, name="account_set_password"),
    path("password/reset/", accounts.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        accounts.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
]


class Favicon(RedirectView):
    def get_redirect_url(self, *args: object, **kwargs: object) -> str:
        return static("favicon.svg")


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("robots.txt", robots, name="robots"),
    # Asked for beside what is no page of ours, such as a download.
    path("favicon.ico", Favicon.as_view(), name="favicon"),
    path("admin/", admin.site.urls),
    path("accounts/", include(ACCOUNT_PAGES)),
    path("", include("chats.urls")),
]

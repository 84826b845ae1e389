"""Every setting, read from the environment once, safe by default.

Owns names and defaults. Each setting that can be given has one comment line, and README's table says
the same; a test compares the two. Relies on `v0web.environment`; reads and writes no other file than
those that NAME_FILE names.
"""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from v0web.environment import (
    Secret,
    env_bool,
    env_float,
    env_float_or_none,
    env_floats,
    env_int,
    env_list,
    env_pairs,
    env_port,
    env_secret,
    env_text,
    source_of,
)
from v0web.sign_in import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent

# The folder for the data of this machine: SQLite files, the local secret, the sandbox's state.
V0_VAR = env_text("V0_VAR", "var")
VAR_DIR = BASE_DIR / V0_VAR
# Error pages with details, no HTTPS, demo people beside the sandbox: for a machine of one's own only.
DEBUG = env_bool("DEBUG", default=False)
# Signs sessions and forms; 50 characters or more, required outside DEBUG (there, a random one).
SECRET_KEY = env_secret("SECRET_KEY")
# Host names this installation answers to, separated by commas.
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1" if DEBUG else "localhost")
# The port that the app listens on.
PORT = env_port("PORT", 8000)
# The port of the sandbox that `make run` starts.
SANDBOX_PORT = env_port("SANDBOX_PORT", 8400)

if SECRET_KEY and len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY must have 50 characters or more.")
if DEBUG and not SECRET_KEY:
    SECRET_KEY = Secret(secrets.token_urlsafe(50))
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name hosts; * would let any page pose as us.")

# The key of the v0 Platform API; without one the upstream is the sandbox.
V0_API_KEY = env_secret("V0_API_KEY")
V0_API_KEY_FROM = source_of("V0_API_KEY")
UPSTREAM = "v0" if V0_API_KEY else "sandbox"
# The bearer key, and so the world, that is used in the sandbox.
V0_SANDBOX_KEY = env_text("V0_SANDBOX_KEY", "sandbox")
V0_API_KEY = V0_API_KEY or Secret(V0_SANDBOX_KEY)
# Where the upstream is, with /v2; by default v0 itself, or the sandbox on this machine.
V0_BASE_URL = env_text(
    "V0_BASE_URL",
    "https://api.v0.dev/v2" if UPSTREAM == "v0" else f"http://127.0.0.1:{SANDBOX_PORT}/v2",
).rstrip("/")
# How requests are put: auto (asks v0's own spec), ga or reference.
V0_API_REVISION = env_text("V0_API_REVISION", "auto")

# How answers come from v0: stream, async (read by poll, where long responses are cut) or sync.
V0_DELIVERY = env_text("V0_DELIVERY", "stream")

if V0_DELIVERY not in ("stream", "async", "sync"):
    raise ImproperlyConfigured("V0_DELIVERY must be stream, async or sync.")
if V0_API_REVISION not in ("auto", "ga", "reference"):
    raise ImproperlyConfigured("V0_API_REVISION must be auto, ga or reference.")
if not V0_BASE_URL.startswith(("https://", "http://")) or not V0_BASE_URL.endswith("/v2"):
    raise ImproperlyConfigured("V0_BASE_URL must be an http(s) address that ends with /v2.")

if UPSTREAM == "sandbox" and (urlsplit(V0_BASE_URL).hostname or "").endswith(".v0.dev"):
    raise ImproperlyConfigured(
        "V0_BASE_URL is v0 itself, which needs V0_API_KEY: set it, or leave out V0_BASE_URL."
    )

# The database; by default a SQLite file of its own for each upstream.
DATABASE_URL = env_secret("DATABASE_URL")
# Redis for several processes; without it, this process is the only one.
REDIS_URL = env_secret("REDIS_URL")
# Exact addresses that may open sockets and post forms; by default made of ALLOWED_HOSTS.
V0_ORIGINS = env_list(
    "V0_ORIGINS",
    ",".join(f"http://{host}:{PORT}" if DEBUG else f"https://{host}" for host in ALLOWED_HOSTS),
)
# A proxy in front sets X-Forwarded-Proto and X-Forwarded-For itself, so that they can be believed.
V0_PROXY = env_bool("V0_PROXY", default=False)

# Seconds between two frames; empty follows the load, from 0.016 to 0.05.
V0_PUBLISH_WINDOW = env_float_or_none("V0_PUBLISH_WINDOW")
# Seconds between two saves of a running answer, at least.
V0_SAVE_EVERY = env_float("V0_SAVE_EVERY", 3)
# Seconds for which a process holds a run without renewing.
V0_LEASE = env_float("V0_LEASE", 20)
# Seconds between two renewals.
V0_LEASE_RENEW = env_float("V0_LEASE_RENEW", 5)
# Seconds between two looks for intents and runs that nobody holds.
V0_LOOK_EVERY = env_float("V0_LOOK_EVERY", 1)
# Seconds between two comparisons of what is shown with the database.
V0_HUB_CHECK = env_float("V0_HUB_CHECK", 5)
# Seconds between two checks of the rights of open sockets, less than the 5 within which they have to follow.
V0_RIGHTS_CHECK = env_float("V0_RIGHTS_CHECK", 4)
# Seconds for which a state is kept after a page was made from it.
V0_POSITION_KEEP = env_float("V0_POSITION_KEEP", 60)
# Seconds for which a message that has ended stays in the state.
V0_ENDED_KEEP = env_float("V0_ENDED_KEEP", 60)
# Seconds for which somebody counts as here after a process has said so last.
V0_PRESENCE_KEEP = env_float("V0_PRESENCE_KEEP", 30, least=1)
# Seconds for which whoever leaves a chat still counts as here: they may only load it again.
V0_PRESENCE_GRACE = env_float("V0_PRESENCE_GRACE", 4)
# Seconds without a frame after which the position is repeated.
V0_BEAT = env_float("V0_BEAT", 20)
# Seconds that a socket may take nothing before it is given up with 1013.
V0_SOCKET_STALL = env_float("V0_SOCKET_STALL", 15)
# Seconds after a POST in doubt at which it is looked up.
V0_CHECK_AFTER = env_floats("V0_CHECK_AFTER", "2,5,15,30,60")
# Seconds for which a POST in doubt is watched in all.
V0_CHECK_FOR = env_float("V0_CHECK_FOR", 600)
# Seconds to connect to v0.
V0_CONNECT_TIMEOUT = env_float("V0_CONNECT_TIMEOUT", 5)
# Seconds that v0 may take no bytes of a request.
V0_WRITE_TIMEOUT = env_float("V0_WRITE_TIMEOUT", 30)
# Seconds until the head of v0's response.
V0_HEADERS_TIMEOUT = env_float("V0_HEADERS_TIMEOUT", 60)
# Seconds more that v0 may take to read the files that a chat is to begin with.
V0_IMPORT_TIMEOUT = env_float("V0_IMPORT_TIMEOUT", 300)
# Seconds without a byte on a stream before v0 is asked how it stands.
V0_SILENCE_TIMEOUT = env_float("V0_SILENCE_TIMEOUT", 90)
# Seconds that a response may take which comes when the model has ended (sync).
V0_MODEL_TIMEOUT = env_float("V0_MODEL_TIMEOUT", 1800)
# How many times in a row a broken stream is resumed before the answer is read by poll.
V0_RESUME_TRIES = env_int("V0_RESUME_TRIES", 10)
# Seconds, about, before an answer is first read by poll.
V0_POLL_FIRST = env_float("V0_POLL_FIRST", 0.5, least=0.01)
# How much longer each pause between two such reads is than the last.
V0_POLL_GROWTH = env_float("V0_POLL_GROWTH", 1.3, least=1)
# Seconds, about, of the longest such pause; v0 may ask for longer ones.
V0_POLL_LONGEST = env_float("V0_POLL_LONGEST", 10, least=0.01)
# Seconds after which a resumed answer is shown although it is shorter than before.
V0_CATCH_UP = env_float("V0_CATCH_UP", 5)
# Seconds for which a deleted chat can be brought back; v0 hears of it after them.
V0_UNDO = env_float("V0_UNDO", 10)
# Seconds between two questions how far a connector is that somebody sets up at Vercel.
V0_CONNECT_EVERY = env_float("V0_CONNECT_EVERY", 3, least=0.1)
# Seconds after which a chat that is opened is compared with v0 again.
V0_COMPARE_OPENED = env_float("V0_COMPARE_OPENED", 30)
# Seconds between two looks at v0's list of chats for what was changed there.
V0_SWEEP_EVERY = env_float("V0_SWEEP_EVERY", 60)
# Seconds between two comparisons of the ledger with v0's bill.
V0_RECONCILE_EVERY = env_float("V0_RECONCILE_EVERY", 3600, least=0.1)
# Seconds between two looks for answers whose cost v0 has not named yet.
V0_COST_EVERY = env_float("V0_COST_EVERY", 5, least=0.1)
# Credits that a run on a model is taken to cost before any is known, as model=credits with commas between.
V0_CEILINGS = env_pairs("V0_CEILINGS", "v0-mini=0.5,v0-auto=2,v0-pro=2,v0-max=4,v0-max-fast=20")
# People by the id of their account at v0, as id=e-mail with commas between: who wrote what at v0 itself.
V0_AUTHORS = env_pairs("V0_AUTHORS")
# Seconds, about, between two looks whether a v0 that failed answers again.
V0_HEALTH_EVERY = env_float("V0_HEALTH_EVERY", 10, least=0.1)
# Seconds that something has waited for somebody before they get a mail, if they want one.
V0_NOTICE_AFTER = env_float("V0_NOTICE_AFTER", 600)
# Seconds between two looks for what is to be mailed.
V0_NOTICE_EVERY = env_float("V0_NOTICE_EVERY", 30, least=0.1)
# Characters in one message that a person sends.
V0_MESSAGE_LIMIT = env_int("V0_MESSAGE_LIMIT", 100_000, least=1)
# Messages that may wait in one chat for the answer before them.
V0_QUEUE = env_int("V0_QUEUE", 50, least=1)
# Files and addresses that one message may have with it.
V0_ATTACHMENTS = env_int("V0_ATTACHMENTS", 10, least=1)
# Bytes of all files of one message together.
V0_ATTACHMENT_BYTES = env_int("V0_ATTACHMENT_BYTES", 8 * 1024 * 1024, least=1024)
# Seconds for which a file that was uploaded and not sent is kept.
V0_UNSENT_KEEP = env_float("V0_UNSENT_KEEP", 86_400)
# The Django storage that keeps attachments, as a dotted name; empty keeps them in V0_VAR.
V0_STORAGE = env_text("V0_STORAGE", "")
# Its options as JSON, such as {"bucket_name": "files"}.
V0_STORAGE_OPTIONS = env_secret("V0_STORAGE_OPTIONS")
# Days for which an entry of the audit log is kept; the database refuses to remove a younger one.
V0_AUDIT_KEEP = env_int("V0_AUDIT_KEEP", 365, least=1)
# Open sockets of one person.
V0_SOCKETS_PER_PERSON = env_int("V0_SOCKETS_PER_PERSON", 30, least=1)
# Whether sockets are compressed (permessage-deflate, 12-bit window).
V0_COMPRESS = env_bool("V0_COMPRESS", default=True)
# Bytes of one request; bodies beyond it are refused while they arrive.
V0_BODY_LIMIT = env_int("V0_BODY_LIMIT", 1024 * 1024, least=1024)
# Seconds in which a stop closes the sockets that are open.
V0_DRAIN = env_float("V0_DRAIN", 5)
# The server that sends mail, smtp://user:password@host:587; without one, DEBUG prints mail.
V0_MAIL_URL = env_secret("V0_MAIL_URL")
# The address that mail comes from.
V0_MAIL_FROM = env_text("V0_MAIL_FROM", "v0web <noreply@localhost>")
# Where alerts about budgets are posted to, https only; may hold a secret.
V0_WEBHOOK_URL = env_secret("V0_WEBHOOK_URL")
# What those posts are signed with; required with an address.
V0_WEBHOOK_SECRET = env_secret("V0_WEBHOOK_SECRET")
# Models that people may choose, in this order; v0-auto lets v0 choose.
V0_MODELS = env_list("V0_MODELS", "v0-auto,v0-mini,v0-pro,v0-max,v0-max-fast")
# Whether visitors without an account may read unlisted and public chats.
V0_ANONYMOUS_READING = env_bool("V0_ANONYMOUS_READING", default=False)
# Whether there is a gallery of public chats, at /gallery/; for visitors, too, where they may read.
V0_GALLERY = env_bool("V0_GALLERY", default=False)
# Least level that is logged: DEBUG, INFO, WARNING or ERROR.
V0_LOG_LEVEL = env_text("V0_LOG_LEVEL", "INFO").upper()

for named, credits in V0_CEILINGS.items():
    if not re.fullmatch(r"\d{1,6}(\.\d{1,12})?", credits):
        raise ImproperlyConfigured(
            f"V0_CEILINGS must name credits, as in v0-pro=2; {named} does not."
        )
if V0_WEBHOOK_URL:
    hook = urlsplit(V0_WEBHOOK_URL)
    is_near = DEBUG or hook.hostname in ("localhost", "127.0.0.1", "::1")
    if not hook.hostname or hook.scheme not in (("https", "http") if is_near else ("https",)):
        raise ImproperlyConfigured("V0_WEBHOOK_URL must be an https address.")
    if not V0_WEBHOOK_SECRET:
        raise ImproperlyConfigured(
            "V0_WEBHOOK_URL needs V0_WEBHOOK_SECRET, to sign what is posted."
        )
V0_KNOWN_MODELS = ("v0-auto", "v0-mini", "v0-pro", "v0-max", "v0-max-fast")
if not V0_MODELS or not set(V0_MODELS) <= set(V0_KNOWN_MODELS):
    raise ImproperlyConfigured(f"V0_MODELS must be some of {', '.join(V0_KNOWN_MODELS)}.")
if V0_LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR"):
    raise ImproperlyConfigured("V0_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR.")

# --- Django's own, none of which is read from the environment ---

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "chats",
]
MIDDLEWARE = [
    "v0web.headers.headers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "v0web.static.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "chats.views.entry.InUse",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "chats.views.entry.Gate",
    "v0web.missing.Missing",
    "v0web.unavailable.Unavailable",
]
ROOT_URLCONF = "v0web.urls"
ASGI_APPLICATION = "v0web.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "v0web.context.installation",
            ]
        },
    }
]


def database(url: str) -> dict[str, Any]:
    """Django's description of the database at `url`, with the options that were measured.

    SQLite: with Django's defaults 78 of 1800 transactions of six writers failed, with these none.
    """
    if not url.startswith(("sqlite:///", "postgres://", "postgresql://")):
        raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:/// or postgresql://.")
    config: dict[str, Any] = dict(dj_database_url.parse(url))
    config["PASSWORD"] = Secret(config.get("PASSWORD", ""))
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        }
        # A memory database has one connection for all threads, and hides what a file would show.
        config["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
    config["CONN_MAX_AGE"] = 0
    return config


DATABASES = {"default": database(DATABASE_URL or f"sqlite:///{VAR_DIR / UPSTREAM}.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if REDIS_URL:
    CHANNEL_LAYERS: dict[str, Any] = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL]},
        }
    }
    CACHES: dict[str, Any] = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    # Beyond its most entries it drops some at random: counts of failed attempts, which strangers fill.
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    }

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

ALLAUTH_TRUSTED_PROXY_COUNT = 1 if V0_PROXY else 0


def mail(url: str) -> dict[str, Any]:
    """Django's settings for the mail server at `url`."""
    if not url:
        backend = "console" if DEBUG else "dummy"
        return {"EMAIL_BACKEND": f"django.core.mail.backends.{backend}.EmailBackend"}
    server = urlsplit(url)
    if server.scheme not in ("smtp", "smtps") or not server.hostname:
        raise ImproperlyConfigured("V0_MAIL_URL must be smtp://… or smtps://…")
    return {
        "EMAIL_HOST": server.hostname,
        "EMAIL_PORT": server.port or (465 if server.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(server.username or ""),
        "EMAIL_HOST_PASSWORD": Secret(unquote(server.password or "")),
        "EMAIL_USE_SSL": server.scheme == "smtps",
        # Without TLS only where nothing can listen.
        "EMAIL_USE_TLS": server.scheme == "smtp" and server.hostname != "localhost",
        "EMAIL_TIMEOUT": 20,
    }


globals().update(mail(V0_MAIL_URL))
DEFAULT_FROM_EMAIL = V0_MAIL_FROM

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [origin for origin in V0_ORIGINS if not DEBUG]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
if not DEBUG:
    SESSION_COOKIE_NAME = "__Host-session"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrf"
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 63_072_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if V0_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        # Browsers differ in whether 'self' covers the socket's scheme.
        "connect-src": ["'self'", *(f"ws{origin.removeprefix('http')}" for origin in V0_ORIGINS)],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "manifest-src": ["'self'"],
        "worker-src": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = V0_BODY_LIMIT
# Patterns of whole paths that take larger bodies, with their limits in bytes: the files of a message,
# what a form adds to them, and a text beside them.
UPLOAD_ROUTES: dict[str, int] = dict.fromkeys(
    (r"/attachments/", r"/chats/", r"/chats/import/", r"/chats/[^/]+/messages/"),
    V0_ATTACHMENT_BYTES + V0_BODY_LIMIT,
)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100


def storage(name: str, options: str) -> dict[str, Any]:
    """Where attachments lie. No file of a person's is ever served from there directly."""
    if not name:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": VAR_DIR,
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    try:
        given = json.loads(options or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ImproperlyConfigured("V0_STORAGE_OPTIONS must be a JSON object.")
    hidden = {
        key: Secret(value) if isinstance(value, str) else value for key, value in given.items()
    }
    return {"BACKEND": name, "OPTIONS": hidden}


STATIC_URL = "/static/"
STATIC_ROOT = None if DEBUG else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "v0web.bundles.Bundles",
]
STORAGES = {
    "default": storage(V0_STORAGE, V0_STORAGE_OPTIONS),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_USE_FINDERS = DEBUG

DEFAULT_EXCEPTION_REPORTER = "v0web.logs.RedactingReporter"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "v0web.logs.RedactingFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": V0_LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": V0_LOG_LEVEL},
        # Django answers 400, and says so in one line; this would be a traceback for each scanner.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # One line per request of ours, with addresses and headers in them.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "asyncio": {"level": "WARNING"},
    },
}

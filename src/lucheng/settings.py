"""Django settings. Everything a city changes comes from the environment; nothing here names a city."""

from __future__ import annotations

import datetime as dt
import os
import pkgutil
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from lucheng import channels, core, embedded, keys, projects
from lucheng.postgresql import context as postgresql_context

PACKAGE = Path(__file__).parent
HOME = embedded.home()

# Sheets come from outside: lxml, which python-docx brings, would unfold the entities that a file declares.
os.environ["OPENPYXL_LXML"] = "False"

DEBUG = os.environ.get("LUCHENG_DEBUG") == "1"
SECRET_KEY = os.environ.get("LUCHENG_SECRET_KEY") or keys.secret_key(HOME)
#: The algorithms under which new contact data is sealed: "aes" or "sm4" (lucheng.core.privacy.sealing).
SEALING = os.environ.get("LUCHENG_SEALING") or "aes"
if SEALING not in ("aes", "sm4"):
    raise ImproperlyConfigured(
        f"LUCHENG_SEALING is {SEALING!r}: set it to aes or sm4, or leave it out for aes"
    )
#: What keeps the keys that seal: "file" or "vault" (lucheng.core.privacy.wrapping).
WRAPPING = os.environ.get("LUCHENG_WRAPPING") or "file"
WRAPPING_KEYS = Path(os.environ["LUCHENG_WRAPPING_KEYS"]) if os.environ.get("LUCHENG_WRAPPING_KEYS") else None
VAULT_URL = os.environ.get("LUCHENG_VAULT_URL", "")
VAULT_MOUNT = os.environ.get("LUCHENG_VAULT_MOUNT") or "transit"
VAULT_KEY = os.environ.get("LUCHENG_VAULT_KEY") or "lucheng"
VAULT_TOKEN = os.environ.get("LUCHENG_VAULT_TOKEN", "")
VAULT_TOKEN_FILE = os.environ.get("LUCHENG_VAULT_TOKEN_FILE", "")
VAULT_CA = os.environ.get("LUCHENG_VAULT_CA", "")
VAULT_CERT = os.environ.get("LUCHENG_VAULT_CERT", "")
VAULT_CERT_KEY = os.environ.get("LUCHENG_VAULT_CERT_KEY", "")
if WRAPPING not in ("file", "vault"):
    raise ImproperlyConfigured(
        f"LUCHENG_WRAPPING is {WRAPPING!r}: set it to file or vault, or leave it out for file"
    )
if WRAPPING == "vault" and not VAULT_URL:
    raise ImproperlyConfigured("LUCHENG_WRAPPING is vault: set LUCHENG_VAULT_URL as well")
_vault = urlsplit(VAULT_URL)
if VAULT_URL and _vault.scheme != "https" and _vault.hostname not in ("localhost", "127.0.0.1", "::1"):
    raise ImproperlyConfigured("LUCHENG_VAULT_URL must start with https:// unless it is on this machine")
ALLOWED_HOSTS = os.environ.get("LUCHENG_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
_TLS = os.environ.get("LUCHENG_TLS") == "1"
#: How residents reach the pages, written into QR codes and printed sheets: never taken from a request.
ADDRESS = os.environ.get("LUCHENG_ADDRESS", f"{'https' if _TLS else 'http'}://{ALLOWED_HOSTS[0]}").rstrip("/")
if not re.fullmatch(r"https?://[\w.\-\[\]:]+", ADDRESS):
    raise ImproperlyConfigured(
        f"the address of the pages would be {ADDRESS!r}: set LUCHENG_ADDRESS, as https://12345.example.cn"
    )
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("LUCHENG_ORIGINS", "").split(",") if o]


def _rooms(floor: Any) -> list[str]:
    """Every folder of a floor is a room; a new project or channel is one more folder and no list to edit."""
    return sorted(f"{floor.__name__}.{m.name}" for m in pkgutil.iter_modules(floor.__path__) if m.ispkg)


INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "ninja",
    *_rooms(core),
    *_rooms(projects),
    *_rooms(channels),
    "lucheng.web",
    "lucheng.demo",
]

MIDDLEWARE = [
    "lucheng.web.headers.HeadersMiddleware",
    "lucheng.core.organisation.middleware.WallMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "lucheng.channels.api.problems.ApiMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "lucheng.core.organisation.middleware.PresenceMiddleware",
    "lucheng.core.organisation.middleware.ScopeMiddleware",
    "lucheng.web.refusals.RefusalMiddleware",
]

ROOT_URLCONF = "lucheng.urls"
WSGI_APPLICATION = "lucheng.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lucheng.web.context.page",
            ],
        },
    },
]


def database(address: str) -> dict[str, Any]:
    """Turn ``postgresql://user:password@host:port/name?option=value`` into Django's settings."""
    parts = urlsplit(address)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(f"DATABASE_URL must start with postgresql://, not {parts.scheme}://")
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "lucheng.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": False,  # lucheng.postgresql sees it without a round trip
        "OPTIONS": {
            **query,
            "pool": {"min_size": 2, "max_size": int(os.environ.get("LUCHENG_POOL", "16")), "timeout": 10},
            "prepare_threshold": 3,
        },
    }


def _walled(address: str | None) -> dict[str, Any]:
    """How web server and worker sign in, where they do it by an address of their own."""
    if address is None:
        return {}
    own = database(address)
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    return {ours: own[django] for django, ours in names.items() if own[django]}


# Web server and worker reach the tables as a role that owns none (lucheng.postgresql.context). Of a server of the
# operator's own they take LUCHENG_WEB_DATABASE_URL; without it they sign in as the owner and step down to that role.
_ADDRESS = os.environ.get("DATABASE_URL")
DATABASES = {
    "default": database(_ADDRESS or embedded.url())
    | {
        "WALLED": _walled(os.environ.get("LUCHENG_WEB_DATABASE_URL"))
        if _ADDRESS
        else {"user": postgresql_context.ROLE}
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "organisation.Person"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]


def _limit(name: str, most: int, minutes: int) -> tuple[int, dt.timedelta]:
    """A limit, or what ``LUCHENG_LIMIT_<name>`` says in its place as ``tries/minutes``."""
    written = os.environ.get(f"LUCHENG_LIMIT_{name}") or f"{most}/{minutes}"
    try:
        most, minutes = map(int, written.split("/"))
    except ValueError:
        most = minutes = 0
    if min(most, minutes) < 1:
        raise ImproperlyConfigured(f"LUCHENG_LIMIT_{name} is {written!r}: write tries/minutes, as 60/15")
    return most, dt.timedelta(minutes=minutes)


_TRIES = int(os.environ.get("LUCHENG_SIGN_IN_TRIES", "5"))
_ADDRESS_TRIES = int(os.environ.get("LUCHENG_SIGN_IN_ADDRESS_TRIES", "50"))
_LOCK = dt.timedelta(minutes=int(os.environ.get("LUCHENG_SIGN_IN_LOCK_MINUTES", "15")))
if min(_TRIES, _ADDRESS_TRIES) < 1 or dt.timedelta(minutes=1) > _LOCK:
    raise ValueError("LUCHENG_SIGN_IN_… must be 1 or more: without a limit passwords can be guessed")
# How long a password works that somebody else made, until its holder sets their own.
FIRST_PASSWORD_LASTS = dt.timedelta(days=int(os.environ.get("LUCHENG_FIRST_PASSWORD_DAYS", "7")))
if dt.timedelta(days=1) > FIRST_PASSWORD_LASTS:
    raise ValueError("LUCHENG_FIRST_PASSWORD_DAYS must be 1 or more")
# The city's single sign-on (OpenID Connect): without an issuer there is none.
OIDC_ISSUER = os.environ.get("LUCHENG_OIDC_ISSUER", "").rstrip("/")
OIDC_CLIENT = os.environ.get("LUCHENG_OIDC_CLIENT_ID", "")
OIDC_SECRET = os.environ.get("LUCHENG_OIDC_CLIENT_SECRET", "")
OIDC_SCOPE = os.environ.get("LUCHENG_OIDC_SCOPE", "openid profile")
OIDC_CLAIM = os.environ.get("LUCHENG_OIDC_CLAIM", "preferred_username")
OIDC_NAME = os.environ.get("LUCHENG_OIDC_NAME", "")
if OIDC_ISSUER and not OIDC_CLIENT:
    raise ImproperlyConfigured("LUCHENG_OIDC_ISSUER is set: set LUCHENG_OIDC_CLIENT_ID too")
# How long a member of staff stays signed in while nothing is asked, and in any case.
SESSION_IDLE = dt.timedelta(minutes=int(os.environ.get("LUCHENG_SESSION_IDLE_MINUTES", "30")))
SESSION_LONGEST = dt.timedelta(hours=int(os.environ.get("LUCHENG_SESSION_HOURS", "12")))
if not dt.timedelta(minutes=2) <= SESSION_IDLE <= SESSION_LONGEST:
    raise ValueError(
        "LUCHENG_SESSION_IDLE_MINUTES must be 2 or more, and not more than LUCHENG_SESSION_HOURS come to"
    )
#: How often something may be tried, and for how long a try counts (lucheng.core.limits). Many people can share one
#: address: those limits are wide.
LIMITS = {
    # wrong passwords
    "sign-in.name": (_TRIES, _LOCK),
    "sign-in.address": (_ADDRESS_TRIES, _LOCK),
    # reports made
    "report.address": _limit("REPORT_ADDRESS", 60, 60),
    "report.number": _limit("REPORT_NUMBER", 10, 60),
    # codes that nobody was given, and wrong digits
    "look-up.address": _limit("LOOK_UP_ADDRESS", 60, 60),
    "look-up.code": _limit("LOOK_UP_CODE", 10, 24 * 60),
    # one-time codes asked for, and tried
    "one-time.address": _limit("ONE_TIME_ADDRESS", 30, 60),
    "one-time.number": _limit("ONE_TIME_NUMBER", 5, 60),
    "one-time-try.address": _limit("ONE_TIME_TRY_ADDRESS", 60, 60),
    "one-time-try.number": _limit("ONE_TIME_TRY_NUMBER", 20, 24 * 60),
}
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "static"]
WHITENOISE_USE_FINDERS = True  # serves from the package itself: nothing to collect after an upgrade
WHITENOISE_AUTOREFRESH = DEBUG
# What Vite built carries a hash of its content in its name, so a browser need never ask for it again.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/dist/assets/"

FORM_RENDERER = "lucheng.web.forms.Renderer"

ATTACHMENTS = HOME / "attachments"
#: What was destroyed by rule, kept outside the database: a restored backup is brought up to it.
DESTROYED = HOME / "destroyed.jsonl"
ATTACHMENT_MAX_BYTES = 20 * 1024 * 1024
# Text messages leave by this gateway (lucheng.core.ledger.adapters); without one they are only shown on the pages.
SMS_GATEWAY_URL = os.environ.get("LUCHENG_SMS_URL", "")
#: Set by `lucheng demo` alone: its city is invented, and its pages show what a telephone would.
DEMO = os.environ.get("LUCHENG_DEMO") == "1"
SMS_GATEWAY_TOKEN = os.environ.get("LUCHENG_SMS_TOKEN", "")
# Hosts of the city's own network that may be called although they lie inside it (lucheng.core.outgoing).
OUTGOING_HOSTS = frozenset(h.strip().lower() for h in os.environ.get("LUCHENG_OUTGOING_HOSTS", "").split(","))
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 10  # nine photographs, and one more that is refused in words
FILE_UPLOAD_HANDLERS = [
    "lucheng.web.uploads.LimitHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# With TLS the cookies carry a name that browsers take from this very host over TLS alone, so that no neighbouring
# site of the city can set one (RFC 6265bis 4.1.3.2).
_HOST = "__Host-" if _TLS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_HOST}sessionid", f"{_HOST}csrftoken"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _TLS
CSRF_FAILURE_VIEW = "lucheng.web.refusals.csrf_failed"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _TLS else None
SECURE_HSTS_SECONDS = (
    365 * 24 * 3600 if _TLS else 0
)  # for this name alone: its neighbours are not ours to bind
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

NINJA_PAGINATION_PER_PAGE = 50

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "lucheng.core.logs.Line",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LUCHENG_LOG", "WARNING")},
    "loggers": {"lucheng": {"level": os.environ.get("LUCHENG_LOG", "INFO")}},
}

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

PACKAGE = Path(__file__).parent
HOME = embedded.home()

DEBUG = os.environ.get("LUCHENG_DEBUG") == "1"
SECRET_KEY = os.environ.get("LUCHENG_SECRET_KEY") or keys.secret_key(HOME)
#: The algorithms under which new contact data is sealed: "aes" or "sm4" (lucheng.core.privacy.sealing).
SEALING = os.environ.get("LUCHENG_SEALING") or "aes"
if SEALING not in ("aes", "sm4"):
    raise ImproperlyConfigured(
        f"LUCHENG_SEALING is {SEALING!r}: set it to aes or sm4, or leave it out for aes"
    )
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


DATABASES = {"default": database(os.environ.get("DATABASE_URL") or embedded.url())}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "organisation.Person"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
# How many wrong passwords lock sign-in, under one name and from one address, and for how long.
SIGN_IN_TRIES = int(os.environ.get("LUCHENG_SIGN_IN_TRIES", "5"))
SIGN_IN_ADDRESS_TRIES = int(os.environ.get("LUCHENG_SIGN_IN_ADDRESS_TRIES", "50"))
SIGN_IN_LOCK = dt.timedelta(minutes=int(os.environ.get("LUCHENG_SIGN_IN_LOCK_MINUTES", "15")))
if min(SIGN_IN_TRIES, SIGN_IN_ADDRESS_TRIES) < 1 or dt.timedelta(minutes=1) > SIGN_IN_LOCK:
    raise ValueError("LUCHENG_SIGN_IN_… must be 1 or more: without a limit passwords can be guessed")
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
ATTACHMENT_MAX_BYTES = 20 * 1024 * 1024
# Text messages leave by this gateway (lucheng.core.ledger.adapters); without one they are only shown on the pages.
SMS_GATEWAY_URL = os.environ.get("LUCHENG_SMS_URL", "")
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

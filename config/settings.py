"""All settings, read from the environment; `.env.example` is generated from here."""

from pathlib import Path

from config import env
from config.caches import cache_at
from config.databases import database_from
from config.sockets import broker_socket

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var"), help="Where files and SQLite live."))
DATA_DIR.mkdir(parents=True, exist_ok=True)  # SQLite does not make the folder of its file.

# Core
SECRET_KEY = env.secret("SECRET_KEY", fallback=DATA_DIR / "secret_key", help="Signs sessions.")
DEBUG = env.flag("DEBUG", help="Tracebacks in the browser; never in production.")
DEMO = env.flag("DEMO", help="Demo projects, demo accounts and the 'act as' switch.")
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]  # Health checks ask from the host itself.
ALLOWED_HOSTS = [
    *env.names("ALLOWED_HOSTS", help="Host names served, besides loopback."),
    *LOOPBACK,
]
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS", help="Origins, when behind a proxy.")
HOST = env.text("HOST", "127.0.0.1", help="Address that web and predictor listen on.")
PORT = env.whole("PORT", 8000, help="Port of the web process.")
PREDICTOR_PORT = env.whole("PREDICTOR_PORT", PORT + 1, help="Port of the predictor.")
PREDICTOR_URL = env.text(
    "PREDICTOR_URL", f"http://127.0.0.1:{PREDICTOR_PORT}", help="Where web finds the predictor."
)
INTERNAL_KEY = (
    env.text("INTERNAL_KEY", help="Signs web's questions to the predictor; empty: SECRET_KEY.")
    or SECRET_KEY
)
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = env.text("TIME_ZONE", "UTC", help="Time zone in which pages show times.")
LANGUAGE_CODE = "en"

INSTALLED_APPS = [
    "config",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "events",
    "jobs",
    "projects",
    "feedback",
    "labeling",
    "monitoring",
    "retraining",
]
MIDDLEWARE = [
    "config.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # A label with a hundred classes stays small.
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.errors.DomainErrorMiddleware",
    "config.policies.PolicyMiddleware",
]
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
                "retraining.frame.frame",
            ],
        },
    }
]

# Database
DATABASE_URL = env.text(
    "DATABASE_URL",
    f"sqlite:///{DATA_DIR / 'setright.sqlite3'}",
    help="sqlite:///path or postgresql://user:password@host/name",
)
DATABASES = {"default": database_from(DATABASE_URL)}

# Broker and jobs
REDIS_URL = env.text("REDIS_URL", help="redis://... ; empty means the embedded server.")
BROKER_SOCKET = broker_socket(DATA_DIR)
BROKER_URL = REDIS_URL or f"redis+socket://{BROKER_SOCKET}"
CACHES = {"default": cache_at(BROKER_URL)}

# Files
FILES_DIR = DATA_DIR / "files"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(FILES_DIR)},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = Path(
    env.text("STATIC_ROOT", str(DATA_DIR / "static"), help="Where static files are collected.")
)
STATICFILES_DIRS = [BASE_DIR / "static"]

# Accounts
AUTH_USER_MODEL = "projects.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "projects.accounts.InviteOnly"
ACCOUNT_FORMS = {
    "login": "projects.account_forms.SignInForm",
    "change_password": "projects.account_forms.PasswordForm",
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

# Security
HTTPS = env.flag("HTTPS", help="Set when served over TLS: secure cookies and HSTS.")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "config.errors.form_too_old"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# Bounds on what comes in; each error names the setting
MAX_BODY_BYTES = env.whole("MAX_BODY_BYTES", 256 * 2**20, help="Largest request body.")
MAX_LINE_BYTES = env.whole("MAX_LINE_BYTES", 2**20, help="Largest line of an import or NDJSON.")
MAX_JSON_BYTES = env.whole("MAX_JSON_BYTES", 32 * 2**20, help="Largest JSON array of lines.")
MAX_TEXT_CHARACTERS = env.whole("MAX_TEXT_CHARACTERS", 100_000, help="Longest text input.")
MAX_IMAGE_BYTES = env.whole("MAX_IMAGE_BYTES", 5 * 2**20, help="Largest image file.")
MAX_IMAGE_PIXELS = env.whole("MAX_IMAGE_PIXELS", 20_000_000, help="Most pixels of an image.")
MAX_PREDICT_BYTES = env.whole("MAX_PREDICT_BYTES", 2**23, help="Largest request to the predictor.")
MAX_PREDICT_INPUTS = env.whole("MAX_PREDICT_INPUTS", 100, help="Most inputs of one request.")
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

# Training
TRAINING_SECONDS = env.whole("TRAINING_SECONDS", 3600, help="Longest training.")
TRAINING_MEMORY_MB = env.whole("TRAINING_MEMORY_MB", 4096, help="Memory of the trainer.")
ARTIFACT_KEY_ID = env.text("ARTIFACT_KEY_ID", "k1", help="Id of the key that signs model files.")
ARTIFACT_KEY = env.text("ARTIFACT_KEY", help="Signs model files; empty: SECRET_KEY.") or SECRET_KEY
ARTIFACT_OLD_KEYS = env.keys("ARTIFACT_OLD_KEYS", help="Keys that still verify: id:key,id:key")

# Logs
LOGGING_CONFIG = "config.logs.configure"
LOGGING = {"level": env.text("LOG_LEVEL", "INFO", help="DEBUG, INFO, WARNING or ERROR.")}

# API
API_REQUESTS_PER_MINUTE = env.whole(
    "API_REQUESTS_PER_MINUTE", 6000, help="Requests of one key or person; an ingest is one."
)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "projects.api.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PARSER_CLASSES": [
        "projects.api.parsers.BoundedJsonParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["projects.api.permissions.HasPolicy"],
    "DEFAULT_THROTTLE_CLASSES": ["projects.api.throttling.PerCaller"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "projects.api.schema.ProblemSchema",
    "EXCEPTION_HANDLER": "config.errors.api_problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Setright API",
    "DESCRIPTION": "Record predictions, flag wrong ones, label, decide, ask the champion.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {  # Fields of one name with other choices; a name of its own for each.
        "BatchCauseEnum": "retraining.models.Batch.Cause",
        "DeploymentCauseEnum": "projects.models.Deployment.Cause",
        "BatchStateEnum": "retraining.models.Batch.State",
        "FlagReasonEnum": "feedback.models.Flag.Reason",
        "FlagStateEnum": "feedback.models.Flag.State",
        "IssueStateEnum": "feedback.models.Issue.State",
        "SkipReasonEnum": "labeling.models.Skip.Reason",
    },
}

# Tests and checks
CRASH_POINTS = env.text("CRASH_POINTS", help="For fault tests: a folder that names where to die.")
SILENCED_SYSTEM_CHECKS: list[str] = []

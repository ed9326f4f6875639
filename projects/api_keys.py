"""Issue, verify and revoke API keys; only a hash of the secret is stored."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from events.recording import record
from projects.errors import Invalid
from projects.models import ApiKey, Project, User

MARK = "sr"
USED_EVERY = timedelta(minutes=1)  # Writing the last use on every request would be a hot row.


def issue_key(
    *,
    project: Project,
    name: str,
    scopes: Iterable[str],
    by: User,
    at: datetime,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """The row and the key itself, which cannot be shown again."""
    chosen = sorted(set(scopes))
    if not chosen or not set(chosen) <= set(ApiKey.Scope.values):
        raise Invalid(f"Choose at least one scope of: {', '.join(ApiKey.Scope.values)}.")
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        project=project,
        name=name.strip() or "key",
        prefix=prefix,
        digest=_digest(secret),
        scopes=chosen,
        created_by=by,
        created_at=at,
        expires_at=expires_at,
    )
    record("api_key.issued", subject=key, at=at, actor=by)
    return key, f"{MARK}_{prefix}_{secret}"


def find_key(raw: str, *, at: datetime) -> ApiKey | None:
    """The usable key, or None; compared in constant time."""
    mark, _, rest = raw.partition("_")
    prefix, _, secret = rest.partition("_")
    if mark != MARK or not secret:
        return None
    key = ApiKey.objects.usable(at).select_related("project", "created_by").filter(prefix=prefix)
    found = key.first()
    if found is None or not hmac.compare_digest(found.digest, _digest(secret)):
        return None
    if found.used_at is None or at - found.used_at > USED_EVERY:
        ApiKey.objects.filter(pk=found.pk).update(used_at=at)
    return found


def revoke_key(*, key: ApiKey, by: User, at: datetime) -> None:
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at):
        record("api_key.revoked", subject=key, at=at, actor=by)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

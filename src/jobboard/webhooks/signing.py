"""Secrets and signatures, as https://www.standardwebhooks.com writes them (version 1, HMAC).

A secret is not stored: it is derived from the board's secret key and a random salt, as the keys of
authenticator apps are. The database alone signs nothing, and a new secret key ends all secrets.
"""

import base64
import hmac
import secrets
from datetime import datetime
from uuid import UUID

from jobboard.accounts.tokens import derived
from jobboard.settings import Settings
from jobboard.webhooks.models import Webhook

PREFIX = "whsec_"
SALT_BYTES = 24


def new_salt() -> bytes:
    """What makes a secret another one."""
    return secrets.token_bytes(SALT_BYTES)


def key_of(settings: Settings, webhook_id: UUID, salt: bytes) -> bytes:
    """The 256 bits that sign."""
    return derived(settings, "webhook", webhook_id.bytes + salt)


def secret_of(settings: Settings, webhook: Webhook) -> str:
    """The current secret as receivers keep it. Shown when it is made, and never again."""
    key = key_of(settings, webhook.id, webhook.salt)
    return PREFIX + base64.b64encode(key).decode()


def headers(
    settings: Settings, webhook: Webhook, message_id: str, body: bytes, moment: datetime
) -> dict[str, str]:
    """Who sends what when: one signature, and one of the secret before, while that still counts."""
    timestamp = str(int(moment.timestamp()))
    salts = [webhook.salt]
    if webhook.previous_salt and webhook.previous_until and webhook.previous_until > moment:
        salts.append(webhook.previous_salt)
    signed = f"{message_id}.{timestamp}.".encode() + body
    keys = (key_of(settings, webhook.id, salt) for salt in salts)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(key, signed) for key in keys),
    }


def _signature(key: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()

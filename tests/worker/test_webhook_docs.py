"""docs/webhooks.md does what it says: its way to check a signature, and its list of events."""

import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from jobboard.clock import now
from jobboard.settings import Settings
from jobboard.webhooks import signing
from jobboard.webhooks.events import TEST, Event
from jobboard.webhooks.models import Webhook

DOCS = Path(__file__).parents[2].joinpath("docs/webhooks.md").read_text()
BODY = '{"a":"ä"}'.encode()


@pytest.fixture
def verify() -> Any:
    """The function of the document, as a reader would paste it."""
    [code] = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    pasted: dict[str, Any] = {}
    exec(code, pasted)
    return SimpleNamespace(**pasted).verify


def test_its_function_knows_our_calls_and_no_others(verify: Any) -> None:
    settings = Settings(secret_key="a secret of the tests, thirty-two characters and more")
    webhook = Webhook(id=uuid4(), salt=signing.new_salt())
    secret = signing.secret_of(settings, webhook)
    headers = signing.headers(settings, webhook, "msg_1", BODY, now())
    assert verify(secret, headers, BODY)
    assert not verify(secret, headers, BODY + b" ")
    assert not verify(secret, headers | {"webhook-id": "msg_2"}, BODY)
    assert not verify(secret, headers | {"webhook-timestamp": str(int(time.time()) - 400)}, BODY)
    webhook.salt = signing.new_salt()
    assert not verify(signing.secret_of(settings, webhook), headers, BODY)


def test_a_known_signature() -> None:
    """The specification's own example."""
    key = signing.base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert signing._signature(key, signed) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_lists_every_event() -> None:
    listed = set(re.findall(r"^\| `([a-z_.]+)` \|", DOCS, re.MULTILINE))
    assert listed == {*Event, TEST}

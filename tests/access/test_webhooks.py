"""Daily's signatures. The vectors were made with OpenSSL, not with the code that is tested.

printf '%s.%s' "$timestamp" "$body" | openssl dgst -sha256 -mac HMAC -macopt hexkey:... -binary
    | base64
"""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.access import webhooks
from serving.access.webhooks import PINLESS, WEBHOOK, WINDOW_S, Scheme, Webhooks, is_trial
from serving.refused import Refused
from tests.access.support import refusal, secret

KEY = "c2FsdCBhbmQgcGVwcGVyIHBsZWFzZQ=="
NOW_S = 1_800_000_000.0
BODY = b'{"To":"+14155550100","From":"+14155550101","callId":"c-1","callDomain":"d-1"}'
VECTORS = {
    "1800000000": "py2mzxDoWM/uww8c3w4XvyHzawDfg99o8eDt0eyj+Ls=",
    "1800000000000": "6NrR4cWxADC5cF9oqJHaD7lO6A6WhmZE3IYRAwR3AB0=",
}
FORGED = (401, "The webhook's signature is not Daily's.")
LATE = (401, "The webhook's timestamp is not of now.")
AGAIN = (409, "This webhook came before.")


def signed(timestamp: str, body: bytes = BODY, key: str = KEY) -> str:
    mac = hmac.new(base64.b64decode(key), timestamp.encode() + b"." + body, hashlib.sha256)
    return base64.b64encode(mac.digest()).decode()


def heads(scheme: Scheme, timestamp: str, signature: str) -> list[tuple[bytes, bytes]]:
    return [(scheme.signature, signature.encode()), (scheme.timestamp, timestamp.encode())]


class Door:
    """What a route does with a webhook."""

    def __init__(self, scheme: Scheme = PINLESS, key: str | None = KEY):
        self.scheme = scheme
        self.webhooks = Webhooks(scheme, secret(key) if key else None)

    def takes(
        self,
        timestamp: str = "1800000000",
        signature: str | None = None,
        body: bytes = BODY,
        now_s: float = NOW_S,
    ) -> bytes | tuple[int, str]:
        if signature is None:
            signature = signed(timestamp, body)
        try:
            return self.webhooks.check(heads(self.scheme, timestamp, signature), body, now_s)
        except Refused as error:
            return refusal(error)


@pytest.mark.parametrize("scheme", [PINLESS, WEBHOOK])
@pytest.mark.parametrize("timestamp", VECTORS)
def test_what_daily_signed_counts(scheme, timestamp):
    taken = Door(scheme).takes(timestamp, VECTORS[timestamp])
    assert taken == base64.b64decode(VECTORS[timestamp])


def test_one_kind_of_webhook_is_not_the_other():
    door = Door(PINLESS)
    with pytest.raises(Refused) as error:
        door.webhooks.check(heads(WEBHOOK, "1800000000", signed("1800000000")), BODY, NOW_S)
    assert refusal(error.value) == FORGED


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "AAAA",
        "not base64!",
        signed("1800000000", key=base64.b64encode(b"another secret of Daily").decode()),
        signed("1800000000", BODY.replace(b"0101", b"0199")),
        signed("1799999999"),
        hmac.new(base64.b64decode(KEY), b"1800000000." + BODY, hashlib.sha256).hexdigest(),
        signed("1800000000")[:-4],
        signed("1800000000") + "AAAA",
    ],
)
def test_what_somebody_else_signed_does_not(signature):
    assert Door().takes(signature=signature) == FORGED


def test_a_body_is_verified_as_it_came():
    spaced = BODY.replace(b":", b": ")  # the same JSON
    assert Door().takes(signature=signed("1800000000"), body=spaced) == FORGED


def test_without_headers_nothing_counts():
    with pytest.raises(Refused) as error:
        Door().webhooks.check([], BODY, NOW_S)
    assert refusal(error.value) == FORGED


def test_without_a_secret_nothing_counts():
    assert Door(key=None).takes() == (503, "This server has no secret to verify webhooks with.")


@pytest.mark.parametrize(
    "timestamp", ["", "now", "-1800000000", "18e8", "1800000000.0", "٣", "9" * 16]
)
def test_a_time_that_is_none_is_refused_even_when_signed(timestamp):
    timestamp = timestamp.encode().decode("latin-1")
    given = heads(PINLESS, "", signed(timestamp))[:1] + [
        (PINLESS.timestamp, timestamp.encode("latin-1"))
    ]
    with pytest.raises(Refused) as error:
        Door().webhooks.check(given, BODY, NOW_S)
    assert refusal(error.value) == FORGED


@pytest.mark.parametrize("late_s", [-WINDOW_S, WINDOW_S])
def test_a_webhook_counts_for_a_while(late_s):
    assert isinstance(Door().takes(now_s=NOW_S + late_s), bytes)


@pytest.mark.parametrize("late_s", [-WINDOW_S - 1, WINDOW_S + 1, 86400.0])
@pytest.mark.parametrize("timestamp", VECTORS)
def test_a_webhook_of_another_time_does_not(timestamp, late_s):
    assert Door().takes(timestamp, now_s=NOW_S + late_s) == LATE


def test_a_webhook_counts_once():
    door = Door()
    door.takes()
    assert door.takes() == AGAIN
    assert door.takes(now_s=NOW_S + WINDOW_S) == AGAIN
    assert isinstance(door.takes(body=BODY + b" "), bytes)


def test_one_that_came_early_is_remembered_until_its_time_is_over():
    door = Door()
    assert isinstance(door.takes(now_s=NOW_S - WINDOW_S), bytes)
    assert door.takes(now_s=NOW_S + WINDOW_S) == AGAIN


def test_one_that_nothing_could_be_done_about_may_come_again():
    door = Door()
    taken = door.takes()
    assert isinstance(taken, bytes)
    door.webhooks.forget(taken)
    assert door.takes() == taken


def test_forged_ones_are_not_remembered():
    door = Door()
    door.takes(signature=signed("1800000000", key=base64.b64encode(b"x" * 32).decode()))
    assert isinstance(door.takes(), bytes)


def test_more_than_can_be_remembered_are_refused_until_they_are_old(monkeypatch):
    monkeypatch.setattr(webhooks, "MAX_REMEMBERED", 3)
    door = Door()
    for number in range(3):
        assert isinstance(door.takes(body=b"%d" % number), bytes)
    assert door.takes(body=b"3") == (503, "Too many webhooks.")
    later_s = NOW_S + 2 * WINDOW_S + 1
    assert isinstance(door.takes(str(int(later_s)), body=b"3", now_s=later_s), bytes)


@pytest.mark.parametrize("body", [b'{"Test":"test"}', b'{"test": "test"}'])
def test_a_trial_is_told_from_a_call(body):
    assert is_trial(body)


@pytest.mark.parametrize(
    "body", [BODY, b"", b"[]", b"\xff", b'{"Test":"test","To":"+1"}', b"[" * 9999]
)
def test_a_call_is_no_trial(body):
    assert not is_trial(body)


@given(st.binary(max_size=40), st.binary(max_size=60), st.binary(max_size=40))
def test_nothing_that_was_made_up_counts(timestamp, signature, body):
    headers = [(PINLESS.signature, signature), (PINLESS.timestamp, timestamp)]
    with pytest.raises(Refused) as error:
        Webhooks(PINLESS, secret(KEY)).check(headers, body, NOW_S)
    assert refusal(error.value) == FORGED

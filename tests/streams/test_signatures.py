"""Signatures of Twilio, Telnyx and Plivo. The vectors are Twilio's own, or were made with OpenSSL.

printf '%s' "$signed" | openssl dgst -sha256 -hmac my_auth_token -binary | base64
openssl pkeyutl -sign -inkey key.der -keyform DER -rawin -in "$signed" | base64
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.phone.signatures import (
    WINDOW_S,
    Webhook,
    check_plivo,
    check_telnyx,
    check_twilio,
)
from serving.refused import Refused
from tests.access.support import refusal, secret

NOW_S = 1_800_000_000.0
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_BODY = (
    b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212"
    b"&Caller=%2B14158675309"
)
TWILIO_SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
PLIVO_URL = "https://salon.example.com/phone/plivo"
PLIVO_BODY = (
    b"From=15559990000&To=15550001111&CallUUID=b7d0c5b8-4f6c-11ef-9f3a-0242ac110004"
    b"&CallStatus=ringing&Event=StartApp"
)
PLIVO_NONCE = "05429567804466091622"
PLIVO_SIGNATURE = "ecs7DpUBTPJ5Gv1Cp8PThZ5IfqhG0qT82Cgv5Bxvpw0="
TELNYX_KEY = "I7xUkSwebpLEqGglyGfif/3FVb/71CRPF6Jqv//ull0="
TELNYX_BODY = b"CallSid=v3%3Aabc&From=%2B15559990000&To=%2B15550001111"
TELNYX_SIGNATURE = (
    "wTli5qXlj+bpzepoJ2JGUoU+wnF2QHj4XbMAsiul9rOQq8fPuPMMovDSJ+109lkR3jAznNkDWZe+yfTF1XmUCg=="
)


def twilio(
    url: str = TWILIO_URL,
    body: bytes = TWILIO_BODY,
    signature: str = TWILIO_SIGNATURE,
    token: str | None = "12345",
) -> tuple[int, str] | None:
    headers = [(b"x-twilio-signature", signature.encode("latin-1"))]
    return refused(
        lambda: check_twilio(
            Webhook(url=url, headers=headers, body=body), secret(token) if token else None
        )
    )


def plivo(
    url: str = PLIVO_URL,
    body: bytes = PLIVO_BODY,
    signature: str = PLIVO_SIGNATURE,
    nonce: str = PLIVO_NONCE,
    token: str | None = "my_auth_token",
) -> tuple[int, str] | None:
    headers = [
        (b"x-plivo-signature-v3", signature.encode("latin-1")),
        (b"x-plivo-signature-v3-nonce", nonce.encode()),
    ]
    return refused(
        lambda: check_plivo(
            Webhook(url=url, headers=headers, body=body), secret(token) if token else None
        )
    )


def telnyx(
    timestamp: str = "1800000000",
    body: bytes = TELNYX_BODY,
    signature: str = TELNYX_SIGNATURE,
    now_s: float = NOW_S,
    key: str | None = TELNYX_KEY,
) -> tuple[int, str] | None:
    headers = [
        (b"telnyx-timestamp", timestamp.encode("latin-1")),
        (b"telnyx-signature-ed25519", signature.encode("latin-1")),
    ]
    webhook = Webhook(url="https://salon.example.com/phone/telnyx", headers=headers, body=body)
    return refused(lambda: check_telnyx(webhook, key, now_s))


def refused(check) -> tuple[int, str] | None:
    try:
        check()
    except Refused as error:
        return refusal(error)


def forged(whose: str) -> tuple[int, str]:
    return 403, f"The webhook's signature is not {whose}'s."


def test_twilios_own_vectors_count():
    assert twilio() is None
    body = b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234"
    assert twilio(body=body, signature="IK+Dwps556ElfBT0I3Rgjkr1wJU=") is None


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        ("https://mycompany.com:1234/myapp.php?foo=1&bar=2", TWILIO_SIGNATURE),
        (TWILIO_URL, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        (TWILIO_URL.replace("https", "http"), "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    ],
)
def test_twilio_may_sign_a_port_that_is_not_in_the_url_or_leave_one_out(url, signature):
    assert twilio(url=url, signature=signature) is None


def test_plivos_signature_counts_with_and_without_a_query():
    assert plivo() is None
    url = f"{PLIVO_URL}-transfer?to=%2B15551234567&a=1"
    signature = "quA6tgQ9ccAEYj5y9SoFZRiN3w0HPgHhdF4hfJ4LO18="
    assert plivo(url=url, body=b"CallUUID=b7d0c5b8", signature=signature) is None


def test_plivo_signs_with_each_of_two_tokens_while_one_replaces_the_other():
    assert plivo(signature=f"AAAA,{PLIVO_SIGNATURE}") is None
    assert plivo(signature="AAAA," * 9 + PLIVO_SIGNATURE) == forged("Plivo")


@pytest.mark.parametrize("now_s", [NOW_S - WINDOW_S, NOW_S, NOW_S + WINDOW_S])
def test_telnyx_signature_counts_within_its_time(now_s):
    assert telnyx(now_s=now_s) is None


@pytest.mark.parametrize("now_s", [NOW_S - WINDOW_S - 1, NOW_S + WINDOW_S + 1])
def test_telnyx_signature_of_another_time_does_not_count(now_s):
    assert telnyx(now_s=now_s) == (403, "The webhook's timestamp is not of now.")


def test_who_has_no_secret_lets_nobody_in():
    for said, variable in (
        (twilio(token=None), "TWILIO_AUTH_TOKEN"),
        (plivo(token=None), "PLIVO_AUTH_TOKEN"),
        (telnyx(key=None), "TELNYX_PUBLIC_KEY"),
    ):
        assert said == (503, f"This server has no {variable} to verify calls with.")


@pytest.mark.parametrize(
    "signature", ["", "nonsense", "RSOYDt4T1cUTdK1PDd93", "\xff", "====", "AAAA"]
)
def test_what_is_no_signature_does_not_count(signature):
    assert twilio(signature=signature) == forged("Twilio")
    assert plivo(signature=signature) == forged("Plivo")
    assert telnyx(signature=signature) == forged("Telnyx")


def test_a_signature_is_for_one_url_one_form_one_nonce_one_time_and_one_secret():
    assert twilio(url=TWILIO_URL + "&x=1") == forged("Twilio")
    assert twilio(body=TWILIO_BODY + b"&X=1") == forged("Twilio")
    assert twilio(token="12346") == forged("Twilio")
    assert plivo(url=PLIVO_URL + "?to=x") == forged("Plivo")
    assert plivo(body=PLIVO_BODY + b"&X=1") == forged("Plivo")
    assert plivo(nonce="1") == forged("Plivo")
    assert plivo(token="other") == forged("Plivo")
    assert telnyx(timestamp="1800000001") == forged("Telnyx")
    assert telnyx(body=TELNYX_BODY + b"&X=1") == forged("Telnyx")


def test_a_signature_without_a_nonce_does_not_count():
    # printf '%s' "$url?CallUUIDx." | openssl dgst -sha256 -hmac my_auth_token -binary | base64
    signature = "3kLVd33MuxU2i/RpRUk8edsib63R5OPwPJYhrAPvAC8="
    assert plivo(body=b"CallUUID=x", nonce="", signature=signature) == forged("Plivo")


def test_a_header_that_is_there_twice_is_refused():
    headers = [(b"x-twilio-signature", TWILIO_SIGNATURE.encode())] * 2
    webhook = Webhook(url=TWILIO_URL, headers=headers, body=TWILIO_BODY)
    assert refused(lambda: check_twilio(webhook, secret("12345")))[0] == 400  # pyright: ignore


@given(
    body=st.binary(max_size=300),
    signature=st.text(st.characters(max_codepoint=255), max_size=100),
    timestamp=st.text(st.characters(max_codepoint=255), max_size=20),
)
def test_whatever_else_comes_is_refused_in_a_sentence(body, signature, timestamp):
    sentence = "A call is announced by a form (application/x-www-form-urlencoded)."
    for said in (twilio(body=body, signature=signature), plivo(body=body, signature=signature)):
        assert said in (forged("Twilio"), forged("Plivo"), (400, sentence))
    assert telnyx(timestamp=timestamp, body=body, signature=signature) == forged("Telnyx")

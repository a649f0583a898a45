"""Webhooks of telephone services at the real server: only the true ones begin something."""

import random
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest

from tests.streams.support import Reachable, reachable_server
from understudy.streams import Account, StreamPhone
from understudy.streams.account import SERVICES

PATHS = [
    *(f"/phone/{service}" for service in SERVICES),
    "/phone/twilio-sip",
    "/phone/plivo-transfer",
]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Reachable]:
    folder = tmp_path_factory.mktemp("webhooks")
    variables = {"SALON_TRANSFER_TO": "desk=+15551234567", "SALON_LOG_LEVEL": "INFO"}
    with reachable_server(folder, **variables) as site:
        yield site


@pytest.mark.parametrize("service", SERVICES)
async def test_a_forged_webhook_is_refused_in_a_sentence(site, service):
    async with site.phone(service) as phone:
        thief = StreamPhone(service, site.server.url, account=_other(service))
        assert await thief.announce(f"/phone/{service}", phone.form("CA1")) == b""
        sentence = f"The webhook's signature is not {service.title()}'s."
        assert thief.answers == [(403, f'{{"detail":"{sentence}"}}')]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_signature_is_for_one_form_alone(site, service):
    async with site.phone(service) as phone:
        form = phone.form("CA2")
        url = f"{site.server.url}/phone/{service}"
        signed = phone.account.sign(url, form, urlencode(form).encode())
        await phone.announce(f"/phone/{service}", form | {"To": "+15550003333"}, replayed=signed)
        assert phone.answers[-1][0] == 403


async def test_the_end_of_a_call_is_announced_and_begins_nothing(site):
    async with site.phone("plivo") as phone:
        form = phone.form("b7d0") | {"CallStatus": "completed", "Event": "Hangup"}
        assert (await phone.announce("/phone/plivo", form)).endswith(b"<Response />")


async def test_plivo_is_told_whom_to_connect_and_nobody_else(site):
    async with site.phone("plivo") as phone:
        path = "/phone/plivo-transfer?to=%2B15551234567"
        told = await phone.announce(path, phone.form("b7d1"))
        assert b"<Dial><Number>+15551234567</Number></Dial>" in told
        await phone.announce("/phone/plivo-transfer?to=%2B19005550000", phone.form("b7d1"))
        assert phone.answers[-1][0] == 403


async def test_what_is_too_large_is_refused(site):
    async with site.phone("twilio") as phone:
        await phone.announce("/phone/twilio", phone.form("CA3") | {"X": "x" * 17_000})
        assert phone.answers[-1][0] == 413


async def test_a_thousand_wrong_webhooks_begin_nothing_and_break_nothing(site):
    random.seed(8)
    begun = site.server.log().count("ws-phone")
    statuses = set()
    async with httpx.AsyncClient(base_url=site.server.url) as http:
        for number in range(1000):
            path, body, headers = _wrong(number, site.server.url)
            answer = await http.post(path, content=body, headers=headers)
            assert 400 <= answer.status_code < 500, (path, body[:200], headers, answer.text)
            sentence = answer.json()["detail"]
            assert sentence.endswith(".") and "\n" not in sentence
            statuses.add(answer.status_code)
    assert statuses == {400, 403, 413}
    assert site.server.log().count("ws-phone") == begun
    assert "Traceback" not in site.server.log()


def _wrong(number: int, url: str) -> tuple[str, bytes, dict[str, str]]:
    """A request that is like a webhook, with something wrong in it."""
    path = random.choice(PATHS)
    service = next((name for name in SERVICES if name in path), "twilio")
    account = Account(service=service)
    phone = StreamPhone(service, account=account)
    form = phone.form(f"CA{number:032x}")
    body = urlencode(form).encode()
    headers = account.sign(f"{url}{path}", form, body)
    match number % 8:
        case 0:  # somebody else's
            headers = _other(service).sign(f"{url}{path}", form, body)
        case 1:  # none
            headers = {}
        case 2:  # a letter of the signature
            headers = {name: _changed(value) for name, value in headers.items()}
        case 3:  # the body
            body = random.randbytes(random.randrange(300))
        case 4 if service == "telnyx":  # of another time; Telnyx signs no address
            headers["Telnyx-Timestamp"] = str(random.randrange(10**10))
        case 4:  # for another address
            path += f"?{random.choice('abc')}={'x' * random.randrange(100)}&to=%ff&&=&" + "a&" * 300
        case 5:  # too many fields, or too large
            body += b"&a=b" * random.choice([250, 5000])
        case 6:  # what no call can be called
            named = "CallUUID" if service == "plivo" else "CallSid"
            form[named] = random.choice(["", "../x", "a b", "\u0000", "x" * 300])
            body = urlencode(form).encode()
            headers = account.sign(f"{url}{path}", form, body)
            if "transfer" in path:
                path += "?to="
        case _:  # no form
            body = random.choice([b"", b"{}", b"\xff\xfe", b"a", b"=&=", b"%", b"<Response/>"])
    return path, body, {**FORM, **headers}


def _changed(text: str) -> str:
    at = random.randrange(len(text) - 1)
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def _other(service: str) -> Account:
    return Account(service=service, token="f" * 32, seed=bytes(32))

"""Secrets are in no log and in no answer; and what looks for them finds them."""

import base64
import json
import logging
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import pytest
from fastapi import FastAPI, Request
from loguru import logger

from pipeline.settings import Settings, SettingsError, load_settings
from serving.access.callers import Callers
from serving.access.exposure import check_access
from serving.access.middleware import add_access
from serving.access.origins import Origins
from serving.access.session_ids import SessionIds, token_secret
from serving.access.webhooks import PINLESS, Webhooks
from tests.access.support import served
from tests.support.secrets import Secrets


@pytest.fixture
def secrets():
    return Secrets()


@pytest.mark.parametrize(
    "written",
    [
        lambda secret: secret,
        lambda secret: secret[:20],
        lambda secret: f"key={secret}&more",
        lambda secret: json.dumps({"key": secret}),
        quote_plus,
        lambda secret: quote(secret, safe=""),
        lambda secret: "".join(f"%{ord(c):02X}" for c in secret),
        lambda secret: secret.encode().hex(),
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.b64encode(f"u:{secret}".encode()).decode(),
        lambda secret: base64.b64encode(f"me:{secret}:x".encode()).decode(),
        lambda secret: base64.urlsafe_b64encode(f"?>?{secret}".encode()).decode(),
    ],
)
def test_a_secret_is_found_however_it_is_written(secrets, tmp_path: Path, written):
    secret = secrets.plant("the key")
    secrets.plant("another key")
    text = f"before {written(secret)} after"
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "log").write_bytes(b"\xff\n" + text.encode())
    assert secrets.found_in(text)[0].startswith("the key is in the text, ")
    assert secrets.found_in(text.encode())[0].startswith("the key is in the bytes, ")
    assert secrets.found_in(tmp_path)[0].startswith("the key is in the file a/b/log, ")
    assert not any("another" in found for found in secrets.found_in(tmp_path))
    assert secret not in str(secrets.found_in(text))


def test_a_secret_is_found_in_the_name_of_a_file(secrets, tmp_path: Path):
    (tmp_path / f"turns-{secrets.plant('the key')[:20]}.jsonl").touch()
    assert len(secrets.found_in(tmp_path)) == 1


def test_where_there_is_none_none_is_found(secrets, tmp_path: Path):
    secrets.environment()
    (tmp_path / "log").write_text("a line\n")
    assert secrets.found_in("") == secrets.found_in(b"") == secrets.found_in(tmp_path) == []
    with pytest.raises(AssertionError, match="is no folder"):
        secrets.found_in(tmp_path / "elsewhere")


def test_every_secret_setting_takes_what_is_planted(secrets, monkeypatch):
    for name in Settings.variables():
        monkeypatch.delenv(name, raising=False)
    planted = secrets.environment()
    assert {"GOOGLE_API_KEY", "SALON_API_KEYS", "SALON_TOKEN_SECRET"} <= set(planted)
    for name, value in planted.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(env_file=None)
    assert secrets.found_in(repr(settings) + settings.model_dump_json()) == []


@pytest.mark.parametrize("name", ["SALON_API_KEYS", "PIPECAT_ICE_SERVERS", "SALON_TOKEN_SECRET"])
def test_a_secret_that_can_not_be_used_is_not_quoted(secrets, monkeypatch, name):
    bad = {"SALON_TOKEN_SECRET": secrets.plant("half")[:20]}.get(name, f"x {secrets.plant('all')}")
    monkeypatch.setenv(name, bad)
    with pytest.raises(SettingsError) as error:
        load_settings(env_file=None)
    assert secrets.found_in(str(error.value)) == []


async def test_no_secret_is_in_a_log_or_an_answer(secrets, tmp_path: Path, caplog):
    caplog.set_level(logging.DEBUG)
    for client in ("httpx", "httpcore"):
        caplog.set_level(logging.CRITICAL, client)
    log = tmp_path / "log"
    sink = logger.add(log, level="TRACE", diagnose=False)
    settings = Settings.model_validate(secrets.environment())
    check_access("0.0.0.0", settings)
    ids = SessionIds(token_secret(settings, tmp_path))
    webhooks = Webhooks(PINLESS, settings.daily_pinless_hmac_secret)
    app = FastAPI()

    @app.post("/start")
    async def start(request: Request) -> dict[str, str]:
        return {"sessionId": ids.issue()}

    @app.post("/sessions/{text}/api/offer")
    async def offer(text: str) -> str:
        return ids.read(text, is_running=lambda session: False)

    @app.post("/dial-in")
    async def dial_in(request: Request) -> None:
        webhooks.check(request.scope["headers"], await request.body(), 0.0)

    add_access(app, origins=Origins.of(settings, "0.0.0.0"), callers=Callers(settings))

    def in_path(name: str) -> str:
        return secrets.plant(name).replace("/", "")

    key = settings.api_key_list[0][1].get_secret_value()
    statuses = []
    answers = ""
    async with served(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        for path, headers in (
            ("/start", {"X-API-Key": key}),
            ("/start", {"X-API-Key": secrets.plant("a wrong key")}),
            ("/start", {"Authorization": f"Bearer {secrets.plant('a wrong token')}"}),
            ("/start", {"Authorization": f"Basic {secrets.plant('a password')}"}),
            ("/start", {"Cookie": f"session={secrets.plant('a cookie')}", "X-API-Key": key}),
            ("/start", {"X-API-Key": key, "Origin": f"https://{secrets.plant('an origin')}"}),
            ("/start", {"X-API-Key": key, "Host": secrets.plant("a host")}),
            (f"/sessions/{in_path('an id')}/api/offer", {}),
            (f"/sessions/{in_path('a foreign id')}/api/offer", {"Origin": "https://evil.example"}),
            ("/dial-in", {"X-Pinless-Signature": secrets.plant("a signature")}),
        ):
            body = json.dumps({"body": {"note": secrets.plant(f"body {len(statuses)}")}})
            answer = await client.post(path, headers=headers, content=body)
            statuses.append(answer.status_code)
            answers += f"{answer.headers} {answer.text}\n"
    logger.remove(sink)
    assert statuses == [200, 401, 401, 401, 200, 403, 400, 403, 403, 401]
    assert log.read_text().count(" 401 ") == 3  # it was logged, without them
    assert secrets.found_in(answers) == []
    assert secrets.found_in(log.read_bytes()) == []
    assert secrets.found_in(caplog.text) == []

import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from pipeline.settings import Settings
from serving.gate import MAX_START_BYTES, StartGate


def client(**variables: str) -> TestClient:
    app = FastAPI()

    @app.post("/start")
    async def start(request: Request):
        return {"got": await request.json() if await request.body() else None}

    @app.get("/daily")
    async def daily():
        return {"room": True}

    app.add_middleware(StartGate, settings=Settings(**variables))  # pyright: ignore
    return TestClient(app)


@pytest.fixture(autouse=True)
def no_daily(monkeypatch):
    for name in ("DAILY_API_KEY", "DAILY_ROOM_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"transport": "webrtc"},
        {"body": {}},
        {"body": {"persona": "art-critic", "anything": ["else"]}},
    ],
)
def test_what_is_right_arrives_as_it_was_sent(body):
    assert client().post("/start", json=body).json() == {"got": body}


def test_an_empty_request_is_a_plain_start():
    assert client().post("/start").status_code == 200


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not json", "must be JSON"),
        (b"[1, 2]", 'like {"body"'),
        (b'{"body": "companion"}', 'like {"body"'),
        (b'{"body": {"persona": "nobody"}}', "art-critic, companion, screen-helper"),
        (b'{"body": {"persona": 7}}', "art-critic, companion, screen-helper"),
        (b'{"transport": "daily"}', "DAILY_ROOM_URL"),
        (b'{"transport": "carrier pigeon"}', "webrtc, daily, websocket"),
        (b"[" * 60_000, "must be JSON"),
        (b'{"createDailyRoom": true}', "DAILY_API_KEY"),
    ],
)
def test_what_is_wrong_is_refused_in_a_sentence(content, sentence):
    answer = client().post("/start", content=content)
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]


def test_a_body_without_end_is_not_read_to_its_end():
    answer = client().post("/start", content=b" " * (MAX_START_BYTES + 1))
    assert answer.status_code == 413


def test_daily_needs_a_key_and_a_room():
    assert client().get("/daily").status_code == 400
    assert client(DAILY_API_KEY="k").get("/daily").json() == {"room": True}
    room = client(DAILY_API_KEY="k", DAILY_ROOM_URL="https://x.daily.co/y")
    assert room.post("/start", json={"transport": "daily"}).status_code == 200

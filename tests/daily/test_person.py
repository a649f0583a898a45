"""What the live tests do with Daily itself, done with its stand-in: the same person, the same room."""

import json

import pytest

from tests.support.daily_person import DailyPerson, greeted_and_answered
from tests.support.server import running_server
from tests.support.speech import speech
from understudy.daily import DailyStandIn, call_client


async def test_a_person_in_a_room_is_greeted_and_answered(tmp_path, short_folder):
    with running_server(tmp_path, "--offline", SALON_RUN_DIR=str(short_folder / "run")) as server:
        await greeted_and_answered(server, call_client, speech("What is two plus two?"))
        ring = json.loads((short_folder / "run" / "ring.json").read_text())
    assert ring["url"].startswith("http://127.0.0.1:")


async def test_a_room_that_is_none_is_told(daily: DailyStandIn):
    person = DailyPerson(call_client)
    with pytest.raises(ConnectionError):
        await person.join(f"{daily.url.removesuffix('/v1')}/none", "no token")

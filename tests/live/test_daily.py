"""Real rooms of a real Daily account, and the real model: `pytest -m live`.

They need GOOGLE_API_KEY and DAILY_API_KEY in the environment, and cost a few cents: two rooms, one
of them with a minute of conversation.
"""

import os

import daily
import pytest

from pipeline.settings import Settings, load_settings
from serving.rooms import Rooms
from tests.support.daily_person import greeted_and_answered
from tests.support.server import running_server
from tests.support.speech import speech

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


@pytest.fixture
def settings() -> Settings:
    found = load_settings()
    missing = [name for name in ("GOOGLE_API_KEY", "DAILY_API_KEY") if not os.environ.get(name)]
    assert not missing, f"live tests need {' and '.join(missing)} in the environment or .env"
    assert not found.daily_is_stand_in and found.gemini_base_url is None
    return found


async def test_a_room_for_telephone_calls_is_made_and_deleted(settings: Settings):
    rooms = Rooms(settings)
    try:
        room = await rooms.create(lifetime_s=300, sip_name="a live test")
        try:
            assert room.sip_uri and "@" in room.sip_uri
        finally:
            assert await rooms.delete(room.name)
    finally:
        await rooms.aclose()


async def test_a_person_in_a_room_is_greeted_and_answered(settings: Settings, tmp_path):
    keys = {name: os.environ[name] for name in ("GOOGLE_API_KEY", "DAILY_API_KEY")}
    with running_server(tmp_path, SALON_ICE_ADDRESSES="", **keys) as server:
        await greeted_and_answered(server, daily, speech("What is two plus two?"))

"""How much a server keeps can be said."""

import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.understudy.test_conformance import MODEL, PATH, trust
from understudy import Understudy


async def new_handle(understudy: Understudy, *, resumed: str | None = None) -> str:
    url = f"{understudy.base_url.replace('https', 'wss')}{PATH}?key=any"
    resumption = {"handle": resumed} if resumed else {}
    setup = {"model": f"models/{MODEL}", "sessionResumption": resumption}
    async with connect(url, ssl=trust(understudy)) as client:
        await client.send(json.dumps({"setup": setup}))
        assert b"setupComplete" in await client.recv(decode=False)
        return json.loads(await client.recv())["sessionResumptionUpdate"]["newHandle"]


async def test_the_last_handles_are_kept():
    async with Understudy(max_handles=1) as understudy:
        first = await new_handle(understudy)
        second = await new_handle(understudy)
        await new_handle(understudy, resumed=second)
        with pytest.raises(ConnectionClosed, match="BidiGenerateContent session not found"):
            await new_handle(understudy, resumed=first)


async def test_the_last_events_are_kept():
    async with Understudy(max_records=3) as understudy:
        for _ in range(2):
            await new_handle(understudy)
        assert len(understudy.records) == 3
        assert understudy.records[-1]["session"] == "s2"

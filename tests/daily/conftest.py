"""What the tests of the stand-in for Daily share."""

from collections.abc import AsyncIterator

import pytest

from tests.daily.support import HMAC, KEY
from understudy.daily import DailyStandIn
from understudy.daily.call_client import use_stand_in


@pytest.fixture
async def daily(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DailyStandIn]:
    """A stand-in, with the stand-ins for daily-python in Pipecat's transport."""
    from pipecat.transports.daily import transport

    for name in (
        "CallClient",
        "CustomAudioSource",
        "CustomAudioTrack",
        "CustomVideoSource",
        "CustomVideoTrack",
        "Daily",
    ):
        monkeypatch.setattr(transport, name, getattr(transport, name))
    use_stand_in()
    async with DailyStandIn(api_key=KEY, hmac=HMAC) as daily:
        yield daily

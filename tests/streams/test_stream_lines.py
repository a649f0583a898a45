"""Lines of media streams, at the stand-ins' REST APIs."""

from typing import Any

import pytest
from loguru import logger
from pipecat.frames.frames import OutputDTMFFrame

from pipeline.phone.call import PhoneCall, Provider
from pipeline.phone.line import LineError
from pipeline.phone.stream_lines import StreamLine, stream_line
from tests.access.support import settings
from understudy.streams import StreamCall, StreamPhone
from understudy.streams.account import SERVICES

each_service = pytest.mark.parametrize("service", SERVICES)


class Output:
    """Where a line plays its tones."""

    def __init__(self) -> None:
        self.frames: list[Any] = []

    async def queue_frame(self, frame: Any) -> None:
        self.frames.append(frame)


def line_of(phone: StreamPhone, call_id: str, output: Output | None = None, **other: str):
    variables = phone.account.variables(phone.api_url) | other
    call = PhoneCall(provider=Provider(phone.account.service), call_id=call_id)
    return stream_line(
        call,
        settings(**variables),
        output=output or Output(),  # pyright: ignore - all that is asked of it
    )


async def on_the_line(phone: StreamPhone) -> tuple[StreamCall, StreamLine]:
    """A call that waits to be told what to do next."""
    call = phone.expect()
    return call, line_of(phone, call.call_id)


@each_service
async def test_a_call_is_hung_up(service):
    async with StreamPhone(service) as phone:
        call, line = await on_the_line(phone)
        await line.hang_up()
        assert call.state == "ended"


@pytest.mark.parametrize("service", ["twilio", "telnyx"])
@pytest.mark.parametrize("target", ["+15551234567", "sip:help@example.com"])
async def test_a_call_is_transferred_and_not_hung_up_after_it(service, target):
    async with StreamPhone(service) as phone:
        call, line = await on_the_line(phone)
        await line.transfer(target)
        await call.until(lambda: call.state == "transferred", within_s=5)
        assert call.transferred_to == target
        await line.hang_up()
        assert call.state == "transferred" and len(phone.requests) == 1


@each_service
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_pass_is_tried_again(service, status):
    async with StreamPhone(service) as phone:
        call, line = await on_the_line(phone)
        phone.fail(status, times=2)
        await line.hang_up()
        assert call.state == "ended" and len(phone.requests) == 3


async def test_telnyx_knows_that_a_repeated_command_is_the_same():
    async with StreamPhone("telnyx") as phone:
        _, line = await on_the_line(phone)
        phone.fail(500)
        await line.transfer("+15551234567")
        ids = [body["command_id"] for _, _, body in phone.requests]
        assert len(ids) == 2 and ids[0] == ids[1]


@pytest.mark.parametrize("service", ["twilio", "telnyx"])
@pytest.mark.parametrize("status", [401, 403, 500])
async def test_a_transfer_that_is_refused_is_told_without_a_secret(service, status):
    said: list[str] = []
    sink = logger.add(lambda line: said.append(str(line)), level="TRACE")
    async with StreamPhone(service) as phone:
        _, line = await on_the_line(phone)
        phone.fail(status, times=9)
        with pytest.raises(LineError, match=r"^(Twilio|Telnyx) did not do it\.$"):
            await line.transfer("+15551234567")
    logger.remove(sink)
    assert said and phone.account.token not in "".join(said)


@pytest.mark.parametrize("service", ["twilio", "telnyx"])
async def test_a_call_that_is_over_is_not_transferred(service):
    async with StreamPhone(service) as phone:
        with pytest.raises(LineError, match="The call is over."):
            await line_of(phone, "gone").transfer("+15551234567")
        await line_of(phone, "gone").hang_up()


async def test_plivo_is_told_where_it_is_told_whom_to_connect():
    async with StreamPhone("plivo") as phone:
        call = phone.expect()
        line = line_of(phone, call.call_id, SALON_PUBLIC_URL="http://127.0.0.1:1")
        phone.fail(403)
        with pytest.raises(LineError):
            await line.transfer("sip:help@example.com")
        assert phone.requests[0][2] == {
            "legs": "aleg",
            "aleg_url": "http://127.0.0.1:1/phone/plivo-transfer?to=sip%3Ahelp%40example.com",
            "aleg_method": "POST",
        }


async def test_a_transfer_over_plivo_needs_an_address_of_ours():
    async with StreamPhone("plivo") as phone:
        with pytest.raises(LineError, match="SALON_PUBLIC_URL"):
            await line_of(phone, "any").transfer("+15551234567")


async def test_without_credentials_nothing_is_asked():
    call = PhoneCall(provider=Provider.TWILIO, call_id="CA1")
    line = stream_line(call, settings(), output=Output())  # pyright: ignore
    await line.hang_up()
    with pytest.raises(LineError, match="without the account's credentials"):
        await line.transfer("+15551234567")


async def test_keys_are_tones():
    output = Output()
    async with StreamPhone("twilio") as phone:
        await line_of(phone, "any", output).send_digits("1*#")
    assert [frame.button.value for frame in output.frames] == ["1", "*", "#"]
    assert all(isinstance(frame, OutputDTMFFrame) for frame in output.frames)


async def test_what_is_no_key_is_not_pressed():
    async with StreamPhone("twilio") as phone:
        with pytest.raises(LineError, match=r"Keys are 0 to 9, \* and #."):
            await line_of(phone, "any").send_digits("1A")

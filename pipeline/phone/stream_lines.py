"""The lines of calls whose sound comes by a media stream: Twilio's, Telnyx' and Plivo's."""

import asyncio
import uuid
from collections.abc import Callable
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from loguru import logger
from pipecat.audio.dtmf.types import KeypadEntry
from pipecat.frames.frames import OutputDTMFFrame
from pipecat.processors.frame_processor import FrameProcessor

from pipeline.phone.call import PhoneCall, Provider
from pipeline.phone.line import LineError
from pipeline.phone.provider_api import ApiRequest, ProviderApi
from pipeline.settings import Settings

HANG_UP_WITHIN_S = 5.0


class StreamLine:
    """A line that is hung up and transferred by the service's REST API, and pressed keys on in band.

    Args:
        api: Of the service.
        hang_up: What ends the call.
        transfer: What connects it with a target.
        output: What plays the tones of keys.
    """

    def __init__(
        self,
        *,
        api: ProviderApi,
        hang_up: Callable[[], ApiRequest],
        transfer: Callable[[str], ApiRequest],
        output: FrameProcessor,
    ):
        self._api = api
        self._hang_up = hang_up
        self._transfer = transfer
        self._output = output
        self._is_transferred = False

    async def transfer(self, target: str) -> None:
        """Connect the caller with somebody else, and leave them to it.

        The service closes the stream then, or, as Telnyx does, once the other side has answered.

        Args:
            target: A telephone number (E.164) or a SIP address.

        Raises:
            LineError: When that can't be done; the caller is still here.
        """
        if not self._api.can_be_asked:
            raise LineError("Calls can't be transferred without the account's credentials.")
        if not await self._api.ask(self._transfer(target)):
            raise LineError("The call is over.")
        self._is_transferred = True

    async def send_digits(self, digits: str) -> None:
        """Press keys: their tones are played, after what is being said.

        Raises:
            LineError: When there is no such key.
        """
        try:
            keys = [KeypadEntry(digit) for digit in digits]
        except ValueError:
            raise LineError("Keys are 0 to 9, * and #.") from None
        for key in keys:
            await self._output.queue_frame(OutputDTMFFrame(button=key))

    async def hang_up(self) -> None:
        """End the call; one that was transferred goes on.

        The stream is closed too, which does the same wherever what comes after it in the XML is
        obeyed.
        """
        if self._is_transferred or not self._api.can_be_asked:
            return
        try:
            async with asyncio.timeout(HANG_UP_WITHIN_S):
                await self._api.ask(self._hang_up())
        except (LineError, TimeoutError) as error:
            logger.warning(f"The call was left to end with its stream: {error}")


def stream_line(call: PhoneCall, settings: Settings, *, output: FrameProcessor) -> StreamLine:
    """The line of a call over Twilio, Telnyx or Plivo."""
    api, hang_up, transfer = {
        Provider.TWILIO: _twilio,
        Provider.TELNYX: _telnyx,
        Provider.PLIVO: _plivo,
    }[call.provider](call, settings)
    return StreamLine(api=api, hang_up=hang_up, transfer=transfer, output=output)


_Parts = tuple[ProviderApi, Callable[[], ApiRequest], Callable[[str], ApiRequest]]


def _twilio(call: PhoneCall, settings: Settings) -> _Parts:
    account = settings.twilio_account_sid
    name, secret = settings.twilio_api_key, settings.twilio_api_secret
    if not (name and secret):
        name, secret = account, settings.twilio_auth_token
    auth = (name, secret.get_secret_value()) if account and name and secret else None
    path = f"/2010-04-01/Accounts/{account}/Calls/{quote(call.call_id, safe='')}.json"

    def update(**form: str) -> ApiRequest:
        # 400: it is not in progress (21220)
        return ApiRequest(method="POST", path=path, form=form, is_over=(400, 404))

    return (
        ProviderApi("Twilio", settings.twilio_api_url, auth),
        lambda: update(Status="completed"),
        lambda target: update(Twiml=_dial(target)),
    )


def _telnyx(call: PhoneCall, settings: Settings) -> _Parts:
    key = settings.telnyx_api_key
    path = f"/v2/calls/{quote(call.call_id, safe='')}/actions"

    def act(name: str, **what: str) -> ApiRequest:
        # Telnyx does a command once, however often it comes.
        body = what | {"command_id": str(uuid.uuid4())}
        # 422: it has ended already (90018)
        return ApiRequest(method="POST", path=f"{path}/{name}", json=body, is_over=(404, 422))

    return (
        ProviderApi("Telnyx", settings.telnyx_api_url, key.get_secret_value() if key else None),
        lambda: act("hangup"),
        lambda target: act("transfer", to=target),
    )


def _plivo(call: PhoneCall, settings: Settings) -> _Parts:
    account, secret = settings.plivo_auth_id, settings.plivo_auth_token
    auth = (account, secret.get_secret_value()) if account and secret else None
    path = f"/v1/Account/{account}/Call/{quote(call.call_id, safe='')}/"

    def transfer(target: str) -> ApiRequest:
        if settings.public_url is None:
            raise LineError("Calls over Plivo can't be transferred without SALON_PUBLIC_URL.")
        url = f"{settings.public_url}/phone/plivo-transfer?{urlencode({'to': target})}"
        body = {"legs": "aleg", "aleg_url": url, "aleg_method": "POST"}
        return ApiRequest(method="POST", path=path, json=body)

    return (
        ProviderApi("Plivo", settings.plivo_api_url, auth),
        lambda: ApiRequest(method="DELETE", path=path),
        transfer,
    )


def _dial(target: str) -> str:
    response = Element("Response")
    kind = "Number" if target.startswith("+") else "Sip"
    SubElement(SubElement(response, "Dial"), kind).text = target
    return tostring(response, encoding="unicode")

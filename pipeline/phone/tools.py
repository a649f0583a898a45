"""What the model may do with a telephone call: end it, transfer it, press keys."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pipecat.adapters.llm.schemas.direct_function import tool_options
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.services.llm_service import FunctionCallParams

from pipeline.announcements import Announcement
from pipeline.endings import Ended
from pipeline.phone.host import Host
from pipeline.phone.line import Line, LineError
from pipeline.phone.signs import Signs

MAX_DIGITS = 32
LINE_S = 15.0
"""How long the line may take to do something."""
GONE_S = 20.0
"""How long a caller who is being transferred may take to be gone."""
GOODBYE_WITHIN_S = 6.0
"""How long the model may take to begin its goodbye."""
_TIMEOUT_S = 60.0

_SAY_GOODBYE = "Say goodbye in one short sentence. The call ends when it has been heard."


class PhoneTools:
    """The functions of one call.

    Args:
        line: The call's; None where nothing can be done with it but end it.
        targets: Where calls may be transferred to, by name.
        signs: Whether the caller has had an answer.
        on_voicemail: Called when the model says that a machine has answered; None for a call that
            came in, which no machine makes.

    Attributes:
        functions: As Pipecat takes them.
        transferred_to: The name of who the caller was transferred to; None before.
    """

    def __init__(
        self,
        *,
        line: Line | None,
        targets: Mapping[str, str],
        signs: Signs,
        on_voicemail: Callable[[], Awaitable[None]] | None = None,
    ):
        self._line = line
        self._targets = targets
        self._signs = signs
        self._on_voicemail = on_voicemail
        self._host: Host | None = None
        self._ending: asyncio.Task[None] | None = None
        self.transferred_to: str | None = None
        self.functions = self._schemas()

    def serve(self, host: Host) -> None:
        """Act on a session's call from now on."""
        self._host = host

    async def close(self) -> None:
        """Stop what is still under way."""
        if self._ending:
            self._ending.cancel()
            await asyncio.gather(self._ending, return_exceptions=True)

    # --- ending ---------------------------------------------------------------------------------

    @tool_options(timeout_secs=_TIMEOUT_S)
    async def _end_call(self, params: FunctionCallParams) -> None:
        if self._signs.has_answered.is_set():
            await self._call.heard()
            await self._call.end_turn()
            await self._leave(None)
        elif self._ending is None:
            await params.result_callback({"result": _SAY_GOODBYE})
            self._ending = asyncio.create_task(self._end_after_goodbye())

    async def _end_after_goodbye(self) -> None:
        try:
            async with asyncio.timeout(GOODBYE_WITHIN_S):
                await self._signs.has_answered.wait()
        except TimeoutError:
            await self._leave(Announcement.ENDING)
        else:
            await self._leave(None)

    async def _leave(self, goodbye: Announcement | None) -> None:
        await self._call.end("The bot ended the call.", goodbye, reason=Ended.BOT)

    @tool_options(timeout_secs=_TIMEOUT_S)
    async def _voicemail(self, params: FunctionCallParams) -> None:
        assert self._on_voicemail
        await self._call.heard()
        await self._call.end_turn()
        await self._on_voicemail()

    # --- the line -------------------------------------------------------------------------------

    @tool_options(timeout_secs=_TIMEOUT_S)
    async def _transfer_call(self, params: FunctionCallParams) -> None:
        """Transfer, once what announces it was heard; an interruption of that calls it off."""
        assert self._line
        name = str(params.arguments.get("to", ""))
        target = self._targets.get(name)
        if target is None:
            names = ", ".join(self._targets)
            return await params.result_callback({"error": f"There is nobody else but: {names}."})
        await self._call.heard()
        self.transferred_to = name  # they may be gone before the line says so
        refused = await self._try(self._line.transfer(target))
        self._call.note("transfer", to=name, **({"error": refused} if refused else {}))
        if refused is None:
            await asyncio.sleep(GONE_S)  # the session ends with the caller's leaving
            refused = "Nobody took the call."
        self.transferred_to = None
        await params.result_callback({"error": f"{refused} The caller is still on the line."})

    @tool_options(timeout_secs=_TIMEOUT_S)
    async def _send_digits(self, params: FunctionCallParams) -> None:
        assert self._line
        digits = re.sub(r"[\s-]", "", str(params.arguments.get("digits", "")))
        if not re.fullmatch(rf"[0-9*#]{{1,{MAX_DIGITS}}}", digits):
            told = f"Digits are 1 to {MAX_DIGITS} of 0 to 9, * and #."
            return await params.result_callback({"error": told})
        await self._call.heard()
        refused = await self._try(self._line.send_digits(digits))
        self._call.note("digits", digits=digits, **({"error": refused} if refused else {}))
        await params.result_callback({"error": refused} if refused else {"result": "pressed"})

    async def _try(self, doing: Awaitable[None]) -> str | None:
        """Returns what went wrong, in a sentence."""
        try:
            async with asyncio.timeout(LINE_S):
                await doing
        except LineError as error:
            return str(error)
        except TimeoutError:
            return "The line does not answer."
        return None

    @property
    def _call(self) -> Host:
        assert self._host
        return self._host

    # --- what the model is told of them -----------------------------------------------------------

    def _schemas(self) -> list[FunctionSchema]:
        schemas = [
            _schema(
                "end_call",
                "Ends the telephone call. Say goodbye first, and call this in the same turn.",
                self._end_call,
            )
        ]
        if self._line:
            digits = f"1 to {MAX_DIGITS} of 0 to 9, * and #."
            schemas.append(
                _schema(
                    "send_digits",
                    "Presses keys on the telephone, for example to get through a menu.",
                    self._send_digits,
                    digits={"type": "string", "description": digits},
                )
            )
        if self._line and self._targets:
            schemas.append(
                _schema(
                    "transfer_call",
                    "Connects the person with somebody else and leaves the call. "
                    "Say first, in the same turn, that you are going to.",
                    self._transfer_call,
                    to={"type": "string", "enum": [*self._targets], "description": "Who."},
                )
            )
        if self._on_voicemail:
            schemas.append(
                _schema(
                    "voicemail",
                    "Say by this that a machine has answered and not a person. Ends the call; "
                    "leave a message before, if you are to leave one.",
                    self._voicemail,
                )
            )
        return schemas


def _schema(name: str, description: str, handler: Any, **properties: Any) -> FunctionSchema:
    return FunctionSchema(
        name=name,
        description=description,
        properties=properties,
        required=[*properties],
        handler=handler,
    )

"""The model's function calls: each run once, answered once or cancelled, whatever becomes of the line.

Each override names what Pipecat 1.14.0 does instead; the tests show that it still does.
"""

import asyncio
import uuid
from collections.abc import Iterable
from typing import Any

from google.genai.types import LiveServerMessage
from loguru import logger
from pipecat.frames.frames import FunctionCallFromLLM
from pipecat.services.llm_service import FunctionCallRunnerItem

from pipeline.calls import Calls
from pipeline.live_output import LiveOutput

FUNCTION_TIMEOUT_S = 30.0
"""A function that takes longer is cancelled, and the model is told; Pipecat 1.14.0 lets it run."""


class LiveTools(LiveOutput):
    """Gemini Live with function calls that survive a connection.

    Args:
        **kwargs: As for `GeminiLiveLLMService`.
    """

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("function_call_timeout_secs", FUNCTION_TIMEOUT_S)
        super().__init__(**kwargs)
        self._calls = Calls()

    async def _handle_server_message(self, message: LiveServerMessage):
        """Stop what the model cancels; Pipecat 1.14.0 runs it on and sends its result."""
        if message.tool_call_cancellation:
            await self._cancel_calls(message.tool_call_cancellation.ids or ())
        await super()._handle_server_message(message)

    async def _handle_msg_tool_call(self, message: LiveServerMessage):
        """Run what is not running already for a connection that broke.

        Pipecat 1.14.0 runs a function again when the question is asked again over the next one.
        """
        assert message.tool_call is not None
        self._exchange.answered("")
        self._patience.settled()
        new = []
        for call in message.tool_call.function_calls or ():
            call.id = call.id or str(uuid.uuid4())
            name = call.name or ""
            again = self._calls.called(call.id, name, call.args or {})
            if again is None:
                new.append(call)
            else:
                logger.info(f"{self}: {name} was called before the connection broke")
                self._tool_call_id_to_name[again.id] = name
                if again.response is not None:
                    await super()._tool_result(call.id, name, dict(again.response))
                    self._patience.asked(asyncio.get_running_loop().time())
        message.tool_call.function_calls = new
        if new:
            await super()._handle_msg_tool_call(message)

    async def _tool_result(
        self,
        tool_call_id: str,
        tool_name: str,
        tool_result_message: dict[str, Any],
        *,
        is_final: bool = True,
        spoken: bool = True,
    ):
        """Send a result to the connection that asks for it, or keep it until one does.

        Pipecat 1.14.0 drops it while there is no connection, and sends it under the old id and
        the name "tool_call_result" over the next.
        """
        if not is_final:
            await super()._tool_result(
                tool_call_id, tool_name, tool_result_message, is_final=False, spoken=spoken
            )
            return
        answer_to = self._calls.returned(tool_call_id, tool_result_message)
        if answer_to is not None:
            await super()._tool_result(answer_to, tool_name, tool_result_message, spoken=spoken)
            if spoken:
                self._patience.asked(asyncio.get_running_loop().time())
        if not spoken and not self._bot_is_responding:
            await self._settle()

    async def _broadcast_function_call_cancelled(
        self, runner_item: FunctionCallRunnerItem, *, run_llm: bool = False
    ) -> FunctionCallFromLLM:
        """Tell the model too, unless it has cancelled the call itself.

        Pipecat 1.14.0 writes it into the context only, which reaches the model with the next turn,
        or never: somebody has typed, or pressed a key, and the model waits for the result.
        """
        item = await super()._broadcast_function_call_cancelled(runner_item, run_llm=run_llm)
        if runner_item.tool_call_id not in self._completed_tool_calls:
            self._completed_tool_calls.add(runner_item.tool_call_id)
            name, told = runner_item.function_name, {"value": "CANCELLED"}
            await self._tool_result(runner_item.tool_call_id, name, told)
        return item

    async def _settle(self):
        """Note that the exchange is complete, unless a result is to come."""
        if self._calls.is_any_awaited:
            return
        await super()._settle()
        await self._stop_calls(self._calls.settled())

    async def _cancel_calls(self, ids: Iterable[str]):
        await self._stop_calls(self._calls.cancelled(ids))

    async def _stop_calls(self, ids: Iterable[str]):
        for call_id in ids:
            self._completed_tool_calls.add(call_id)  # "CANCELLED" is no result to be sent
            await self._cancel_function_calls_by_tool_call_id(call_id)

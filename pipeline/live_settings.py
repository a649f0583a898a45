"""What the model is set up with: instruction, voice, tools and the rest, changed while it talks.

The setup of a connection is the only place where every model of the Live API takes them. So a
change moves the conversation to a new connection, between two turns; what the service refuses is
taken back. Each override names what Pipecat 1.14.0 does instead; the tests show that it still does.
"""

from dataclasses import dataclass
from typing import Any

from google.genai.types import HistoryConfig, LiveConnectConfig
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import Frame, LLMSetToolsFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService, GeminiModalities
from pipecat.services.settings import LLMSettings
from pipecat.utils.types import NOT_GIVEN, NotGiven, is_given

from pipeline.frames import VideoLimitsFrame
from pipeline.live_input import LiveInput
from pipeline.model_offers import has_history
from pipeline.persona import Persona
from pipeline.search import functions_of, has_search, tools_of
from pipeline.video_limits import VideoLimits


@dataclass(frozen=True, kw_only=True)
class _Setup:
    """What a connection was set up with, to be taken up again."""

    settings: GeminiLiveLLMService.Settings
    instruction: str | None
    tools: ToolsSchema | list[Any] | None
    video: VideoLimits | None


class LiveSettings(LiveInput):
    """Gemini Live whose instruction, voice and tools can be changed during a conversation.

    `LLMSetToolsFrame` and `LLMUpdateSettingsFrame` do it, and `play`. Each takes effect between two
    turns; several before that cost one connection.

    Args:
        **kwargs: As for `GeminiLiveLLMService`.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._config: LiveConnectConfig | None = None
        self._is_building = False
        self._video: VideoLimits | None = None
        self._tried = self._accepted = self._setup_now()

    async def play(self, persona: Persona, *, tools: list | None = None):
        """Be somebody else from the next turn on.

        Args:
            persona: Whose instruction, voice, search and limits of video they are.
            tools: The functions that the model may call then; None: those that it has.
        """
        self._video = persona.video
        delta = self.Settings(system_instruction=persona.instruction, voice=persona.voice)
        await self._update_settings(delta)
        had = self._tools_from_init
        if tools is not None or persona.search != has_search(had):
            functions = functions_of(had) if tools is None else tools
            wanted = tools_of(functions, can_search=persona.search)
            await self._change_tools(NOT_GIVEN if wanted is None else wanted)

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Take other tools; Pipecat 1.14.0 swallows them, frame and all."""
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMSetToolsFrame):
            await self._change_tools(frame.tools)
            await self.push_frame(frame, direction)

    async def _update_settings(self, delta: LLMSettings) -> dict[str, Any]:
        """Apply other settings; Pipecat 1.14.0 stores them only."""
        changed = await super()._update_settings(delta)
        if "system_instruction" in changed:
            self._system_instruction_from_init = self._base_system_instruction
        if changed:
            await self._reconnect()
        return changed

    def _warn_unhandled_updated_settings(self, unhandled: Any):
        """Nothing is unhandled; Pipecat 1.14.0 warns of every change."""

    async def _change_tools(self, tools: list | ToolsSchema | NotGiven):
        self._take_tools(tools)
        await self._reconnect()

    def _take_tools(self, tools: list | ToolsSchema | NotGiven | None):
        """Have these functions and no others, in the context too, which comes first.

        The functions that came with them run from now on. A call of one that is gone is answered
        by Pipecat, in words.
        """
        given = NOT_GIVEN if tools is None else LLMContext._normalize_and_validate_tools(tools)
        self._tools_from_init = given if is_given(given) else None
        if self._context:
            self._context.set_tools(given)
        self._sync_registered_tool_handlers(given)

    # --- what a connection is set up with -------------------------------------------------------

    def _setup_now(self) -> _Setup:
        return _Setup(
            settings=self._settings.copy(),  # pyright: ignore - as made by Pipecat's service
            instruction=self._base_system_instruction,
            tools=self._tools_from_init,
            video=self._video,
        )

    async def _setup_accepted(self):
        """The service has taken the latest config; what the model is shown goes with it."""
        before, self._accepted = self._accepted, self._tried
        if self._accepted.video and self._accepted.video != before.video:
            limits = VideoLimitsFrame(limits=self._accepted.video)
            await self.push_frame(limits, FrameDirection.UPSTREAM)

    def _take_back(self):
        """Forget what was changed since the service last accepted a setup."""
        good = self._accepted
        self._settings.apply_update(good.settings.copy())
        self._base_system_instruction = self._system_instruction_from_init = good.instruction
        self._video = good.video
        self._sync_model_name_to_metrics()
        self._take_tools(good.tools)

    async def _next_config(self) -> LiveConnectConfig | None:
        """Build the config of the next connection; None if it can't be built of these settings.

        Pipecat 1.14.0 does so in `_connect` only, which hands it to a task of its own.
        """
        self._tried = self._setup_now()
        self._config, self._is_building = None, True
        link = self._connection_task
        try:
            await self._connect()
            built, self._connection_task = self._connection_task, link
            if built and built is not link:
                await built
        finally:
            self._is_building = False
        if self._config and self._settings.modalities == GeminiModalities.TEXT:
            _leave_out_voice(self._config)
        return self._config

    def _get_history_config(self) -> HistoryConfig | None:
        """Have no history phase where there is none; Pipecat 1.14.0 asks for it of every model."""
        return super()._get_history_config() if has_history(str(self._settings.model)) else None

    async def _connection_task_handler(self, config: LiveConnectConfig):
        """Give `_next_config` what it asks for, or else begin to converse.

        Pipecat 1.14.0 serves one connection here, with a config that is built once.
        """
        if self._is_building:
            self._config = config
        else:
            await self._keep_link()

    async def _keep_link(self):
        """Keep a connection up as long as the session lasts."""
        raise NotImplementedError


def _leave_out_voice(config: LiveConnectConfig):
    """Ask for no voice and no transcript of what is written anyway.

    Pipecat 1.14.0 asks for both, which some models refuse: "Cannot extract voices from a non-audio
    request".
    """
    config.output_audio_transcription = None
    if config.generation_config:
        config.generation_config.speech_config = None

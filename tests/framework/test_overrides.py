"""Our service against the one that it is made from: which of its methods we replace, and why."""

import inspect
from collections.abc import Callable
from typing import Any

from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService

from pipeline.live_input import LiveInput
from pipeline.live_output import LiveOutput
from pipeline.live_service import LiveService
from pipeline.live_settings import LiveSettings
from pipeline.live_tools import LiveTools
from pipeline.live_usage import LiveUsage

OVERRIDES = {
    LiveUsage: {"_handle_msg_usage_metadata"},
    LiveOutput: {
        "cleanup",
        "_handle_interruption",
        "_handle_msg_model_turn",
        "_handle_msg_usage_metadata",
        "_handle_server_message",
        "_process_grounding_metadata",
    },
    LiveTools: {
        "_broadcast_function_call_cancelled",
        "_handle_msg_tool_call",
        "_handle_server_message",
        "_tool_result",
    },
    LiveInput: {
        "_handle_send_error",
        "_handle_user_started_speaking",
        "_send_user_audio",
        "_send_user_text",
        "_send_user_video",
        "cleanup",
        "process_frame",
    },
    LiveSettings: {
        "_connection_task_handler",
        "_get_history_config",
        "_update_settings",
        "_warn_unhandled_updated_settings",
        "process_frame",
    },
    LiveService: {
        "_create_initial_response",
        "_disconnect",
        "_handle_msg_resumption_update",
        "_handle_server_message",
        "_handle_session_ready",
        "_reconnect",
        "cleanup",
    },
}
"""A method that upstream renames is no longer called: then it is missing here."""


def overrides(ours: type) -> dict[str, Callable[..., Any]]:
    methods = {name: method for name, method in vars(ours).items() if inspect.isfunction(method)}
    inherited = {*dir(GeminiLiveLLMService)} - {"__init__"}
    return {name: method for name, method in methods.items() if name in inherited}


def test_each_override_replaces_a_method_that_there_is():
    assert {ours: set(overrides(ours)) for ours in OVERRIDES} == OVERRIDES


def test_each_override_takes_what_is_given_to_it():
    for ours in OVERRIDES:
        for name, method in overrides(ours).items():
            theirs = inspect.signature(getattr(GeminiLiveLLMService, name)).parameters
            assert [*inspect.signature(method).parameters] == [*theirs], name


def test_each_override_says_what_pipecat_does_without_it():
    silent = {
        f"{ours.__name__}.{name}"
        for ours in OVERRIDES
        for name, method in overrides(ours).items()
        if "Pipecat 1.14.0" not in (method.__doc__ or "")
    }
    assert silent == set()

"""Misbehaviour on command: one at a time, the same for every session. Pure.

A first seam, to be replaced by scripted scenarios: a shell asks `refusal` before the upgrade
and passes everything a session wants done through `bend`.
"""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus

from understudy.effects import Close, Effect, Send
from understudy.errors import INTERNAL_ERROR


class Misbehaviour(StrEnum):
    """How the understudy misbehaves."""

    REFUSE_503 = "refuse-503"
    """Every upgrade is answered with HTTP 503."""

    NEVER_ANSWER_SETUP = "never-answer-setup"
    """The connection opens and stays silent."""

    CLOSE_1011_AFTER_SETUP = "close-1011-after-setup"
    """The session closes with 1011 right after setupComplete."""


def refusal(misbehaviour: Misbehaviour | None) -> tuple[HTTPStatus, str] | None:
    """Returns the HTTP answer that replaces the upgrade, if there is one."""
    if misbehaviour is Misbehaviour.REFUSE_503:
        return HTTPStatus.SERVICE_UNAVAILABLE, "The service is currently unavailable.\n"
    return None


def bend(effects: list[Effect], misbehaviour: Misbehaviour | None) -> list[Effect]:
    """Returns what is really done of what a session asks for."""
    if misbehaviour is Misbehaviour.NEVER_ANSWER_SETUP:
        return [effect for effect in effects if not isinstance(effect, Send)]
    if misbehaviour is Misbehaviour.CLOSE_1011_AFTER_SETUP:
        for index, effect in enumerate(effects):
            if isinstance(effect, Send) and "setupComplete" in effect.message:
                return [*effects[: index + 1], Close(1011, INTERNAL_ERROR)]
    return effects

"""The control endpoint's requests and answers: faults and sessions over plain HTTP. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from understudy.faults import FAULTS, documentation, parameters
from understudy.rules import Rule, ScenarioError

MAX_BODY_BYTES = 65_536
_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_COUNTED = (
    "audio",
    "video",
    "picture",
    "text",
    "content",
    "answer",
    "interrupted",
    "tool_response",
)


class Controlled(Protocol):
    """What is controlled: an `Understudy`."""

    @property
    def rules(self) -> list[Rule]:
        """The faults that are on."""
        ...

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every event so far."""
        ...

    def inject(
        self,
        name: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        moment: str | Mapping[str, Any] | None = None,
        session: str | None = None,
    ) -> Rule:
        """Switches a fault on, everywhere or in one running session."""
        ...

    def clear_faults(self, name: str | None = None) -> int:
        """Switches faults off."""
        ...


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """A request that is not carried out, with a sentence that says why."""

    status: HTTPStatus
    why: str


def check_origin(headers: Mapping[str, str]) -> None:
    """Refuses what a web page sends, on its own account or under a name that leads here.

    Args:
        headers: The request's headers by lower-case names.

    Raises:
        Refused: 403.
    """
    if "origin" in headers or not _LOOPBACK.fullmatch(headers.get("host", "")):
        why = "Only programs on this machine may ask: use 127.0.0.1, and no web page."
        raise Refused(HTTPStatus.FORBIDDEN, why)


def answer(method: str, path: str, body: bytes, understudy: Controlled) -> Any:
    """Carries out a request and returns JSON.

    Raises:
        Refused: With status 400, 404 or 405.
    """
    match method, [part for part in path.partition("?")[0].split("/") if part]:
        case "GET", ["faults"]:
            on = [rule.describe() for rule in understudy.rules]
            return {"on": on, "faults": list(map(_describe, FAULTS))}
        case "POST", ["faults"]:
            return _inject(body, understudy)
        case "DELETE", ["faults"]:
            return {"switched_off": understudy.clear_faults()}
        case "DELETE", ["faults", name]:
            if not (count := understudy.clear_faults(name)):
                raise Refused(HTTPStatus.NOT_FOUND, f"No fault {name!r} is on.")
            return {"switched_off": count}
        case "GET", ["sessions"]:
            return {"sessions": summaries(understudy.records)}
        case "POST", ["sessions", session, "close" | "goaway" as name]:
            return _end(session, name, body, understudy)
        case _, ["faults" | "sessions", *_]:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, _WHAT_THERE_IS)
        case _:
            raise Refused(HTTPStatus.NOT_FOUND, _WHAT_THERE_IS)


_WHAT_THERE_IS = (
    "There are GET, POST and DELETE /faults, DELETE /faults/NAME, GET /sessions, "
    "POST /sessions/ID/close and POST /sessions/ID/goaway."
)


def _describe(name: str) -> dict[str, Any]:
    fault = FAULTS[name]
    return {
        "name": name,
        "what": documentation(fault),
        "imitates": fault.imitates,
        "at": str(fault.moment.place),
        "parameters": {field.name: field.default for field in parameters(fault)},
    }


def _inject(body: bytes, understudy: Controlled) -> dict[str, Any]:
    fields = _fields(body, ("name", "parameters", "moment"))
    name, given, moment = (fields.get(key) for key in ("name", "parameters", "moment"))
    if not isinstance(name, str):
        raise Refused(HTTPStatus.BAD_REQUEST, "name has to be a fault's name; see GET /faults.")
    if given is not None and not isinstance(given, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "parameters has to be an object.")
    try:
        return understudy.inject(name, parameters=given, moment=moment).describe()
    except ScenarioError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from None


def _end(session: str, name: str, body: bytes, understudy: Controlled) -> dict[str, Any]:
    given = _fields(body, tuple(field.name for field in parameters(FAULTS[name])))
    try:
        rule = understudy.inject(name, parameters=given, moment="connect", session=session)
    except ScenarioError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
    except KeyError:
        raise Refused(HTTPStatus.NOT_FOUND, f"No session {session!r} is running.") from None
    return rule.describe()


def _fields(body: bytes, known: tuple[str, ...]) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(HTTPStatus.BAD_REQUEST, "The body has to be JSON.") from None
    if not isinstance(value, dict) or not value.keys() <= set(known):
        raise Refused(
            HTTPStatus.BAD_REQUEST, f"The body has to be an object of {', '.join(known)}."
        )
    return value


def summaries(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns what each session has heard, seen and said so far.

    Args:
        records: The record's events, oldest first.
    """
    sessions: dict[str, dict[str, Any]] = {}
    for record in records:
        summary = sessions.setdefault(record["session"], _new_summary(record["session"]))
        event = record["event"]
        if event == "setup":
            summary.update({key: record[key] for key in ("model", "profile", "resumed")})
        if event == "audio":
            summary["audio_in_ms"] += record["ms"]
        if event == "audio_out":
            summary["audio_out_ms"] += record["ms"]
        if event == "text":
            summary["last_text"] = record["text"]
        if event == "answer":
            summary["last_answer"] = record["text"]
        if event in _COUNTED:
            summary["events"][event] = summary["events"].get(event, 0) + 1
        if event == "closed":
            summary["is_open"] = False
            summary["closed"] = {"code": record["code"], "reason": record["reason"]}
    return list(sessions.values())


def _new_summary(session: str) -> dict[str, Any]:
    return {"id": session, "is_open": True, "audio_in_ms": 0, "audio_out_ms": 0, "events": {}}

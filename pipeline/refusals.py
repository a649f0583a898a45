"""Why the model's service said no, in words for the user, and what trying again can help.

The Live API refuses by closing the WebSocket, also for a bad key, and the same code means many
things: 1011 is an internal error, or a used-up quota. So the reason decides, not the code.
"""

import ssl
from dataclasses import dataclass, replace
from enum import Enum, auto

from google.genai.errors import APIError
from websockets.exceptions import ConnectionClosed, InvalidStatus


class Verdict(Enum):
    """What trying again can help."""

    FORBIDDEN = auto()
    """Nothing: this key, project, quota or model is not allowed to."""
    UNACCEPTABLE = auto()
    """Nothing, as long as the same is asked for: these settings or, in the same words sometimes,
    this resumption handle."""
    STALE = auto()
    """Nothing, as long as this resumption handle is brought."""
    PASSING = auto()
    """The service has a fault, which may pass."""
    UNREACHABLE = auto()
    """The service was not heard at all, or is not there at the moment."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What a failed or broken connection means.

    Parameters:
        sentence: For the user.
        verdict: What trying again can help.
    """

    sentence: str
    verdict: Verdict


_BAD_KEY = "Gemini refused the API key. Check GOOGLE_API_KEY."
_BAD_OWN_KEY = (
    "Gemini refused your API key. Check it at https://aistudio.google.com/apikey and start again."
)

_BY_REASON: list[tuple[tuple[str, ...], str]] = [
    (
        ("api key not valid", "api key not found", "api key expired", "unregistered callers"),
        _BAD_KEY,
    ),
    (
        ("exceeded your current quota", "prepayment credits are depleted"),
        "The Gemini quota of this API key is used up. Check the plan and billing of the key.",
    ),
    (
        ("is not found for api version", "not supported for bidigeneratecontent", "live api."),
        "Gemini does not offer the model {model} for live conversations. Check SALON_MODEL.",
    ),
    (
        ("has not been used in project", "project has been denied access"),
        "The API key's project may not use the Gemini API. Enable it in the Google console.",
    ),
]
"""Fragments of the real reasons, in lower case, and what they mean to a user. All forbidden."""

_UNACCEPTABLE = (
    "is not supported",
    "must be specified",
    "cannot find field",
    "invalid argument",
)
"""What a setup is refused for: what is in it, or the handle that it brings."""

_STALE = ("invalid session handle", "session not found")
"""What it is refused for when that is certainly the handle."""

_BY_STATUS = {
    401: _BAD_KEY,
    403: _BAD_KEY,
    404: "Gemini's Live API is not at this address. Check GOOGLE_GEMINI_BASE_URL.",
    429: "Gemini refuses more sessions with this API key for now. Try again in a minute.",
}
"""HTTP statuses of a refused upgrade; all forbidden. Others pass by."""


def explain(
    error: Exception, *, model: str, in_session: bool = False, has_own_key: bool = False
) -> Refusal:
    """What an exception from connecting or receiving means.

    Args:
        error: From `client.aio.live.connect` or `session.receive`.
        model: The model's name, for the sentence.
        in_session: Whether the session was set up already. Then "invalid argument" does not mean
            its settings: the real service says it too when typed and spoken input cross.
        has_own_key: Whether the key is the user's own, and not the server's.
    """
    refusal = _explain(error, model, in_session)
    if has_own_key and refusal.sentence == _BAD_KEY:
        return replace(refusal, sentence=_BAD_OWN_KEY)
    return refusal


def _explain(error: Exception, model: str, in_session: bool) -> Refusal:
    match error:
        case TimeoutError():
            return Refusal(sentence="Gemini does not answer.", verdict=Verdict.UNREACHABLE)
        case InvalidStatus():
            status = error.response.status_code
            if status in _BY_STATUS:
                return Refusal(sentence=_BY_STATUS[status], verdict=Verdict.FORBIDDEN)
            sentence = f"Gemini is unavailable (HTTP {status})."
            return Refusal(sentence=sentence, verdict=Verdict.UNREACHABLE)
        case APIError():
            reason = f"{error.details or ''} {error.message or ''}".strip()
            return _by_reason(reason, model, in_session)
        case ConnectionClosed():
            return _by_reason(error.rcvd.reason if error.rcvd else "", model, in_session)
        case ssl.SSLCertVerificationError():
            sentence = "Gemini's certificate is not trusted. Check SSL_CERT_FILE."
            return Refusal(sentence=sentence, verdict=Verdict.FORBIDDEN)
        case OSError():
            sentence = "Gemini cannot be reached from here."
            return Refusal(sentence=sentence, verdict=Verdict.UNREACHABLE)
        case _:
            return Refusal(sentence="The connection to Gemini broke.", verdict=Verdict.PASSING)


def _by_reason(reason: str, model: str, in_session: bool) -> Refusal:
    said = reason.lower()
    for fragments, sentence in _BY_REASON:
        if any(fragment in said for fragment in fragments):
            return Refusal(sentence=sentence.format(model=model), verdict=Verdict.FORBIDDEN)
    reason = reason.rstrip(".")
    if not in_session and any(fragment in said for fragment in _UNACCEPTABLE):
        sentence = f"Gemini refused the session's settings for {model}: {reason}."
        return Refusal(sentence=sentence, verdict=Verdict.UNACCEPTABLE)
    if not in_session and any(fragment in said for fragment in _STALE):
        sentence = f"Gemini does not know the conversation any more: {reason}."
        return Refusal(sentence=sentence, verdict=Verdict.STALE)
    why = f": {reason}" if reason else ""
    return Refusal(sentence=f"Gemini closed the connection{why}.", verdict=Verdict.PASSING)

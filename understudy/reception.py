"""What the understudy answers over HTTP, beside sessions: models and ephemeral tokens. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus

from understudy import routes
from understudy.tokens import TokenStore, error_answer

JSON = "application/json; charset=UTF-8"
TEXT = "text/plain; charset=utf-8"
_NO_SUCH_PLACE = (
    "The understudy plays the Gemini Live API only: connect a WebSocket to /ws/google.ai."
    "generativelanguage.v1beta.GenerativeService.BidiGenerateContent.\n"
)


class Reception:
    """Answers requests that want no session.

    Args:
        keys: The only API keys taken; None takes any that doesn't begin with `invalid`.
        tokens: The ephemeral tokens.
    """

    def __init__(self, keys: Collection[str] | None, tokens: TokenStore) -> None:
        self._keys = keys
        self._tokens = tokens

    def get(self, route: routes.Route | None) -> tuple[HTTPStatus, str, str]:
        """Answers a GET request with a status, a body and its type."""
        if not isinstance(route, routes.ModelsRoute):
            return HTTPStatus.NOT_FOUND, _NO_SUCH_PLACE, TEXT
        if (body := routes.models_body(route.model)) is None:
            return HTTPStatus.NOT_FOUND, "There is no such model here.\n", TEXT
        return HTTPStatus.OK, body, JSON

    def post(self, target: str, headers: Mapping[str, str], body: bytes) -> tuple[HTTPStatus, str]:
        """Answers a POST request with a status and JSON: mints ephemeral tokens."""
        route = routes.route(target, headers)
        if not isinstance(route, routes.TokensRoute):
            return error_answer(HTTPStatus.NOT_FOUND, "There is nothing to post to here.")
        if refusal := routes.check_key(route.key, self._keys):
            is_bad = refusal.code == 1007
            status = HTTPStatus.BAD_REQUEST if is_bad else HTTPStatus.FORBIDDEN
            return error_answer(status, refusal.reason)
        return self._tokens.mint(body, key=route.key)

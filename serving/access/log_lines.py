"""Paths of requests, as they may be logged. Pure."""

import re

MAX_PATH_CHARACTERS = 100
_SESSION = re.compile(r"/sessions/(?:([0-9a-f]{32})(?=[./]|$))?[^/]*")


def path_for_log(path: str) -> str:
    """A request's path without what would let others use its session, and no longer than a line."""
    shown = _SESSION.sub(lambda match: f"/sessions/{match[1] or '...'}", path)
    return repr(shown[:MAX_PATH_CHARACTERS])

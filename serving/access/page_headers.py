"""What every answer tells browsers about how to treat it."""

from collections.abc import Collection

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EMBED = "/assets/salon-call.js"
"""What pages of others load, from whatever origin; it does nothing but open a frame."""

_DAILY_SCRIPTS = ("https://c.daily.co", "blob:")
_DAILY_CONNECTIONS = ("https://*.daily.co", "wss://*.daily.co")
"""What Daily's library needs without `eval`, by docs.daily.co/guides/privacy-and-security: its call
machine comes from their CDN as a script, and may run scripts from blobs."""


def policy(*, frames: Collection[str] = (), daily: bool = False) -> str:
    """The content security policy: nothing from elsewhere but what is asked for.

    Args:
        frames: Origins of pages that may show this one in a frame.
        daily: Whether calls in Daily's rooms are offered.
    """
    scripts = _DAILY_SCRIPTS if daily else ()
    connections = _DAILY_CONNECTIONS if daily else ()
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *scripts)),
            "style-src 'self'",
            "img-src 'self' blob:",  # pictures are shown before they are sent
            "media-src 'self' blob:",
            # 'self' is also WebSockets of the same origin; WebRTC is not under it.
            " ".join(("connect-src 'self'", *connections)),
            "form-action 'self'",
            "base-uri 'none'",
            " ".join(("frame-ancestors", *(sorted(frames) or ["'none'"]))),
        )
    )


PICTURE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "frame-ancestors 'none'",
        "sandbox",
    )
)
"""An SVG that is opened by itself is a document: it runs nothing, loads nothing, and is of nowhere."""

PICTURES = "/personas/"

HEADERS = {
    "Content-Security-Policy": policy(),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "autoplay=(self), camera=(self), display-capture=(self), microphone=(self), "
        "geolocation=(), payment=(), usb=()"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of all answers but the page itself, which `page_headers` may open for some."""


def page_headers(*, frames: Collection[str] = (), daily: bool = False) -> dict[str, str]:
    """The headers of the page itself; the arguments are those of `policy`."""
    headers = {**HEADERS, "Content-Security-Policy": policy(frames=frames, daily=daily)}
    if frames:
        # It knows no list of origins; every browser that knows `frame-ancestors` goes by that.
        del headers["X-Frame-Options"]
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return headers


class PageHeaders:
    """ASGI middleware that adds them, and `no-store` to all but the page's own files.

    Args:
        app: Everything else.
        page: The headers of the page itself.
    """

    def __init__(self, app: ASGIApp, page: dict[str, str] | None = None):
        self._app = app
        self._by_path = {
            "/": page or HEADERS,
            # Its name stays the same when what is in it changes.
            EMBED: {
                **HEADERS,
                "Cross-Origin-Resource-Policy": "cross-origin",
                "Cache-Control": "no-cache",
            },
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = scope["path"]
        added = self._by_path.get(path, HEADERS)
        is_asset = path.startswith("/assets/")

        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(added)
                if scope["path"].startswith(PICTURES):
                    headers["Content-Security-Policy"] = PICTURE_POLICY
                if not is_asset:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with)

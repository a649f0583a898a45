"""Whether the server lives, and whether it takes calls."""

from typing import Any

from fastapi import APIRouter, Request, Response

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The server answers; nothing else is looked at."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "No new calls: the server is closing."}})
async def readyz(request: Request, response: Response) -> dict[str, str]:
    """Whether new calls should come here; not when the server is about to close."""
    if request.app.state.is_ready():
        return {"status": "ready"}
    response.status_code = 503
    return {"status": "closing"}


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """What the server counts, for Prometheus; needs a key where calls do. See docs/operations.md."""
    client = request.client.host if request.client else None
    await request.app.state.callers.identify(request.headers.raw, client)
    content_type, text = request.app.state.metrics.render(request.headers.get("accept", ""))
    return Response(text, headers={"Content-Type": content_type})


@router.get("/status")
async def status(request: Request) -> dict[str, Any]:
    """What Pipecat's clients ask: which transports there are."""
    return {"status": "ready", "transports": request.app.state.transports}

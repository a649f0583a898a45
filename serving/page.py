"""The page, and what it asks the server before a call."""

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from pipeline.persona import PersonaError, load_personas
from pipeline.pictures import MAX_PICTURE_BYTES, PICTURE_FORMATS
from pipeline.settings import ROOT, Settings

PAGE_DIR = ROOT / "web" / "dist"

OFFLINE_NOTICE = (
    "Offline: an understudy answers instead of Gemini. It tells what it hears and sees."
)


def add_page(app: FastAPI, settings: Settings) -> None:
    """Serve the page at `/` and what it needs to know at `/api/salon`.

    To be called before Pipecat adds its own routes: the first route of a path is the one that
    counts.
    """

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        # Its assets are named by their content; the page itself must be looked up each time.
        return FileResponse(PAGE_DIR / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/api/salon")
    def about() -> dict:
        return _about(settings)

    @app.exception_handler(PersonaError)
    def broken_persona(request: Request, error: PersonaError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 500)

    app.mount("/assets", StaticFiles(directory=PAGE_DIR / "assets"), name="assets")


def _about(settings: Settings) -> dict:
    # Read each time: a new file is a new persona. Who answers by default comes first.
    personas = sorted(load_personas(), key=lambda persona: persona.name != settings.persona)
    return {
        "name": "Salon",
        "offline": settings.offline,
        "model": settings.model,
        "notice": OFFLINE_NOTICE if settings.offline else None,
        "personas": [
            {
                "name": persona.name,
                "title": persona.title,
                "summary": persona.summary,
                "default": persona.name == settings.persona,
            }
            for persona in personas
        ],
        "pictures": {"max_bytes": MAX_PICTURE_BYTES, "types": list(PICTURE_FORMATS.values())},
    }

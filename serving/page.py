"""The page, and what it asks the server before a call."""

from fastapi import FastAPI, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from pipeline.model_offers import VOICES, languages
from pipeline.persona import PERSONAS_DIR, PersonaError, load_persona, load_personas
from pipeline.persona_picture import PictureError, read_picture
from pipeline.picture_decoder import MAX_PICTURE_BYTES, PICTURE_FORMATS
from pipeline.settings import ROOT, Settings
from serving.access.exposure import needs_credentials
from serving.refused import Refused
from serving.routes.answers import refusals

PAGE_DIR = ROOT / "web" / "dist"

OFFLINE_NOTICE = (
    "Offline: an understudy answers instead of Gemini. It tells what it hears and sees."
)


def add_page(app: FastAPI, settings: Settings) -> None:
    """Serve the page at `/` and what it needs to know at `/api/salon`."""

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        # Its assets are named by their content; the page itself must be looked up each time.
        return FileResponse(PAGE_DIR / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/api/salon")
    def about() -> dict:
        return _about(settings, app.state.transports)

    @app.get("/personas/{name}/picture", responses=refusals(404), response_class=Response)
    def picture(name: str) -> Response:
        try:
            persona = load_persona(name)
            if persona.picture is None:
                raise Refused(404, "This persona has no picture.")
            content, content_type = read_picture(PERSONAS_DIR / persona.picture)
        except (PersonaError, PictureError):
            raise Refused(404, "There is no such picture.") from None
        return Response(content, media_type=content_type, headers={"Cache-Control": "max-age=300"})

    # In pieces of 64 KB: each takes the loop 2 ms.
    assets = GZipMiddleware(StaticFiles(directory=PAGE_DIR / "assets"), compresslevel=6)
    app.mount("/assets", assets, name="assets")


def _about(settings: Settings, transports: list[str]) -> dict:
    # Read each time: a new file is a new persona. Who answers by default comes first.
    personas = sorted(load_personas(), key=lambda persona: persona.name != settings.persona)
    return {
        "name": "Salon",
        "offline": settings.offline,
        "model": settings.model,
        "notice": OFFLINE_NOTICE if settings.offline else None,
        "needs_key": needs_credentials(settings),
        "model_key": settings.model_key,
        "transports": transports,
        "voices": list(VOICES),
        "languages": languages(settings.language),
        "language": settings.language,
        "personas": [
            {
                "name": persona.name,
                "title": persona.title,
                "summary": persona.summary,
                "default": persona.name == settings.persona,
                "voice": persona.voice,
                "picture": f"/personas/{persona.name}/picture" if persona.picture else None,
                "translations": {
                    language: introduction.model_dump()
                    for language, introduction in persona.translations.items()
                },
            }
            for persona in personas
        ],
        "pictures": {"max_bytes": MAX_PICTURE_BYTES, "types": list(PICTURE_FORMATS.values())},
    }

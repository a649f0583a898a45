"""`POST /sessions/{session_id}/files`: pictures for a session."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import Request

from serving.routes.answers import refusals
from serving.routes.calls import Desk, SessionId
from serving.session_files import SessionFiles
from serving.uploads import OPENAPI, receive

router = APIRouter(tags=["calls"])


class Source(BaseModel):
    """Where an uploaded file is, for the session's process."""

    type: str
    url: str


class Uploaded(BaseModel):
    """The `file` of an RTVI `send-file` message."""

    name: str
    source: Source
    format: str


def files_of(session_id: SessionId, desk: Desk) -> SessionFiles:
    """The files of a session."""
    return desk.files(session_id)


@router.post(
    "/sessions/{session_id}/files",
    openapi_extra=OPENAPI,
    responses=refusals(400, 403, 404, 408, 410, 413, 415, 429, 503, 507),
)
async def upload(request: Request, files: Annotated[SessionFiles, Depends(files_of)]) -> Uploaded:
    """Upload a picture, to be shown to the model by `send-file`."""
    return Uploaded(**await receive(request, files))

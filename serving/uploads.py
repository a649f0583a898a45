"""`POST /sessions/{id}/files`: a picture on its way from a client to the model.

It is streamed to disk with a bound, decoded in a process of its own, and only what that makes of
it is kept: whoever uploads is told at once why a picture can't be shown.
"""

import asyncio
import errno
import tempfile
from typing import Any, BinaryIO

from loguru import logger
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from pipeline.file_name import shown_name
from pipeline.picture_decoder import (
    MAX_PICTURE_BYTES,
    NotAPictureError,
    PictureError,
    PictureTooLargeError,
)
from pipeline.picture_process import PicturesBusyError, clean_picture
from serving.refused import Refused
from serving.refused_unread import RefusedUnread
from serving.session_files import QuotaError, SessionFiles

MAX_BODY_BYTES = MAX_PICTURE_BYTES + 16 * 1024
"""A picture with what multipart puts around it."""

MAX_SENDING_S = 60.0
"""How long a body may take to arrive."""

OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                }
            }
        },
    }
}
"""For `openapi_extra` of the route: its body is read here, so FastAPI knows nothing of it."""

_HOW_TO = 'Send one picture as multipart/form-data, in the field "file".'
_STATUS = {NotAPictureError: 415, PictureTooLargeError: 413, PicturesBusyError: 503}
_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


async def receive(request: Request, files: SessionFiles) -> dict[str, Any]:
    """Take one picture for a session.

    Args:
        request: With the multipart field `file`, and nothing else. Its body has not been read.
        files: Of the session.

    Returns:
        The `file` of an RTVI `send-file` message: `name`, `source` and `format`. The format is
        that of what is kept, a JPEG.

    Raises:
        Refused: With one sentence for the user: 400 (cut off, broken), 404 (the session is over),
            408 (too slow), 413 (too large), 415 (no picture), 429 (too many), 503 (busy) or
            507 (the disk is full). Nothing is kept then.
    """
    is_whole = False
    try:
        with files.receiving(), tempfile.TemporaryFile(dir=files.folder) as file:
            name = await _receive_into(file, request)
            is_whole = True
            picture = await clean_picture(file)
        url = await files.keep(picture)
    except Exception as error:
        refused = Refused if is_whole else RefusedUnread
        raise refused(*_refusal(error)) from None
    return {"name": name, "source": {"type": "url", "url": url}, "format": "image/jpeg"}


async def _receive_into(file: BinaryIO, request: Request) -> str:
    """Write the body's one file; returns its name, for people."""
    content_type, options = parse_options_header(request.headers.get("content-type"))
    if content_type != b"multipart/form-data":
        raise NotAPictureError(_HOW_TO)
    if int(request.headers.get("content-length", 0)) > MAX_BODY_BYTES:
        raise _too_large()
    form = _Form(options.get(b"boundary", b""), file)
    received_bytes = 0
    async with asyncio.timeout(MAX_SENDING_S):
        async for chunk in request.stream():
            received_bytes += len(chunk)
            if received_bytes > MAX_BODY_BYTES:
                raise _too_large()
            # A disk may take its time, and so may the parser with a body made for that.
            await asyncio.to_thread(form.feed, chunk)
    if not form.is_whole:
        raise FormParserError("there is no file, or no end")
    await asyncio.to_thread(file.flush)
    return shown_name(form.filename, "picture")


class _Form:
    """A multipart body as it arrives, with one file in it and nothing else."""

    def __init__(self, boundary: bytes, file: BinaryIO):
        self.filename = ""
        self.is_whole = False
        self._file = file
        self._parts = 0
        self._field, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_end": self._on_end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Take what came.

        Raises:
            FormParserError: It is not such a body.
        """
        self._parser.write(chunk)

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > 1:
            raise FormParserError("there is more than one part")

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if options.get(b"name") != b"file" or b"filename" not in options:
            raise FormParserError("the part is not a file")
        self.filename = options[b"filename"].decode(errors="replace")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._file.write(data[start:end])

    def _on_end(self) -> None:
        self.is_whole = self._parts == 1


def _too_large() -> PictureTooLargeError:
    return PictureTooLargeError(f"A picture may have {MAX_PICTURE_BYTES // 2**20} MB.")


def _refusal(error: Exception) -> tuple[int, str]:
    """HTTP status and sentence.

    Raises:
        Exception: The error itself, when it is nobody's but ours.
    """
    match error:
        case PictureError():
            return _STATUS.get(type(error), 400), str(error)
        case QuotaError():
            return 429, str(error)
        case FormParserError():
            return 400, _HOW_TO
        case ClientDisconnect():
            return 400, "The picture was cut off."  # that nobody reads
        case TimeoutError():
            return 408, f"The picture was not here within {MAX_SENDING_S:.0f} seconds."
        case FileNotFoundError():
            return 404, "This session is not running."
        case OSError() if error.errno in _DISK_IS_FULL:
            logger.error(f"An upload can't be stored: {error}")
            return 507, "The server's disk is full; pictures can't be taken right now."
    raise error

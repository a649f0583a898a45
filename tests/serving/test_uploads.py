"""Pictures on their way to a session: over a real uvicorn, into a real folder."""

import asyncio
import contextlib
import io
import resource
from collections.abc import AsyncIterator

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline import picture_process
from pipeline.picture_decoder import MAX_PICTURE_BYTES
from serving import refused_unread, uploads
from serving.uploads import MAX_BODY_BYTES
from tests.support.pictures import black_png, noise, saved
from tests.support.upload_site import (
    END,
    HEAD,
    Site,
    assert_refused,
    open_sizes,
    part,
    site_in,
    until_nothing_is_open,
    until_something_arrived,
)


@pytest.fixture
async def site(tmp_path) -> AsyncIterator[Site]:
    async with site_in(tmp_path) as site:
        yield site


async def test_what_comes_back_is_what_send_file_wants(site):
    answer = (await site.upload(noise("PNG"))).json()
    url = answer["source"]["url"]
    assert answer == {
        "name": "photo.png",
        "source": {"type": "url", "url": url},
        "format": "image/jpeg",
    }
    jpeg = await site.files.load(url)
    assert Image.open(io.BytesIO(jpeg)).size == (96, 64)


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        (b"", 415, "not a JPEG, PNG, WebP or GIF"),
        (b"%PDF-1.7", 415, "not a JPEG, PNG, WebP or GIF"),
        (noise("PNG")[:900], 400, "broken"),
        (black_png(50_000, 50_000), 413, "50 megapixels are the most"),
        (noise("PNG", (40, 40)) + bytes(MAX_PICTURE_BYTES), 413, "20 MB is the most"),
        (bytes(MAX_BODY_BYTES), 413, "may have 20 MB"),
        (bytes(3 * MAX_BODY_BYTES), 413, "may have 20 MB"),
    ],
    ids=["empty", "pdf", "half", "bomb", "large", "larger", "much-larger"],
)
async def test_who_uploads_is_told_why_it_cannot_be_shown(site, content, status, sentence):
    assert_refused(await site.upload(content), status, sentence)
    assert site.kept == []


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "..\\..\\boot.ini", "a\x00b\x1b[2J.png", "", "x" * 4000],
)
async def test_its_name_is_for_people_only(site, name):
    answer = await site.upload(noise("PNG"), name or "\n")
    shown = answer.json()["name"]
    assert shown.isprintable() and 0 < len(shown) <= 100 and "/" not in shown
    (path,) = site.kept
    assert path.parent == site.files.folder and len(path.name) == 32


PICTURE = noise("PNG")
HOW_TO = 'in the field "file"'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        END,
        b"nothing of it",
        part(PICTURE),
        part(PICTURE)[:-2],
        part(PICTURE, b'Content-Disposition: form-data; name="other"; filename="a"\r\n') + END,
        part(PICTURE, b'Content-Disposition: form-data; name="file"\r\n') + END,
        part(PICTURE, b"") + END,
        part(PICTURE, b"X" * 5000 + b": 1\r\n") + END,
        part(PICTURE, b"X: 1\r\n" * 500 + HEAD) + END,
        part(PICTURE) + part(PICTURE) + END,
        part(b"text", b'Content-Disposition: form-data; name="a"\r\n') + part(PICTURE) + END,
        part(PICTURE).replace(b"\r\n", b"\n") + END,
    ],
    ids=[
        "no-body",
        "no-part",
        "no-multipart",
        "no-end",
        "no-boundary",
        "other-field",
        "no-file",
        "no-head",
        "long-head",
        "many-heads",
        "two-files",
        "text-and-file",
        "line-feeds",
    ],
)
async def test_a_body_that_is_not_one_file_is_refused(site, body):
    assert_refused(await site.post(body), 400, HOW_TO)
    assert site.kept == []


@pytest.mark.parametrize(
    "kind", ["application/json", "image/png", "multipart/mixed; boundary=limit", "", "multipart"]
)
async def test_another_content_type_is_refused(site, kind):
    answer = await site.post(part(PICTURE) + END, **{"Content-Type": kind})
    assert_refused(answer, 415, HOW_TO)


@pytest.mark.parametrize("boundary", ["", "; boundary=", f"; boundary={'x' * 300}"])
async def test_a_boundary_that_cannot_be_one_is_refused(site, boundary):
    kind = f"multipart/form-data{boundary}"
    answer = await site.post(part(PICTURE) + END, **{"Content-Type": kind})
    assert_refused(answer, 400, HOW_TO)


async def test_a_length_over_the_cap_is_refused_before_anything_is_sent(site):
    async with site.connection("Content-Length: 999999999999") as connection:
        assert await connection.answer() == (413, "A picture may have 20 MB.")
    assert site.kept == []


async def test_a_body_without_end_is_refused_as_soon_as_it_is_over_the_cap(site, monkeypatch):
    monkeypatch.setattr(refused_unread, "LINGER_S", 0.5)
    sent_bytes, piece = 0, bytes(256 * 1024)
    async with site.connection("Transfer-Encoding: chunked") as connection:
        await connection.send(part(b"")[:-2], chunked=True)
        answer = asyncio.create_task(connection.head())
        while not answer.done():
            await connection.send(piece, chunked=True)
            sent_bytes += len(piece)
            await asyncio.sleep(0)
        assert answer.result() == 413
        # It goes on being sent, and is not listened to for ever.
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                while True:
                    await connection.send(piece, chunked=True)
    # What is on its way in the kernel's buffers is beyond the cap.
    assert MAX_BODY_BYTES <= sent_bytes < MAX_BODY_BYTES + 16 * 2**20
    assert site.kept == []


async def test_a_body_is_on_the_disk_and_not_in_memory(site):
    process = psutil.Process()
    body = part(noise("PNG") + bytes(MAX_PICTURE_BYTES - 100_000))
    async with site.connection(f"Content-Length: {len(body) + 1}") as connection:
        before = process.memory_info().rss
        for at in range(0, len(body), 2**16):
            await connection.send(body[at : at + 2**16])
        async with asyncio.timeout(10):
            while max(open_sizes(site.files.folder), default=0) < len(body) * 0.9:
                await asyncio.sleep(0.01)
        grown = process.memory_info().rss - before
        assert site.kept == [], "what is under way has no name"
    assert grown < MAX_PICTURE_BYTES / 2


async def test_one_that_is_cut_off_leaves_nothing(site):
    async with site.connection("Content-Length: 100000") as connection:
        await connection.send(part(PICTURE)[:5000])
        await until_something_arrived(site.files.folder)
    await until_nothing_is_open(site.files.folder)
    assert site.kept == []
    assert (await site.upload(PICTURE)).status_code == 200


async def test_one_that_comes_slowly_is_taken_and_one_that_does_not_end_is_not(site, monkeypatch):
    body = part(PICTURE) + END
    async with site.connection(f"Content-Length: {len(body)}", "Connection: close") as connection:
        for at in range(0, len(body), 2000):
            await connection.send(body[at : at + 2000])
            await asyncio.sleep(0.01)
        assert b" 200 OK" in await connection.reader.readline()
    monkeypatch.setattr(uploads, "MAX_SENDING_S", 0.2)
    async with site.connection(f"Content-Length: {len(body)}") as connection:
        await connection.send(body[:2000])
        status, sentence = await connection.answer()
    assert (status, "was not here within" in sentence) == (408, True)
    assert len(site.kept) == 1


@contextlib.contextmanager
def disk_that_takes(size: int):
    """Files of this process may grow to so many bytes: the kernel refuses the rest, as it does
    when a disk is full, with another number."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


async def test_a_disk_that_is_full_is_told_and_nothing_stays(site):
    with disk_that_takes(400_000):
        refused = await site.upload(noise("PNG", (500, 400)))
    assert_refused(refused, 507, "disk is full")
    assert site.kept == []
    assert (await site.upload(PICTURE)).status_code == 200


async def test_also_when_only_the_clean_picture_does_not_fit(site):
    tile = Image.open(io.BytesIO(noise("PNG", (100, 100))))
    image = Image.new("RGB", (1600, 1600))
    for x in range(0, 1600, 100):
        for y in range(0, 1600, 100):
            image.paste(tile, (x, y))
    content = saved(image, "WEBP", lossless=True)
    with disk_that_takes(400_000):
        assert len(content) < 400_000
        refused = await site.upload(content)
    assert_refused(refused, 507, "disk is full")
    assert site.kept == []


async def test_a_server_that_is_busy_says_so(site, monkeypatch):
    monkeypatch.setattr(picture_process, "COMMAND", ["/nowhere"])
    assert_refused(await site.upload(PICTURE), 503, "send this one again")
    assert site.kept == []


BODIES = st.lists(
    st.sampled_from([part(PICTURE), END, HEAD, b"--limit\r\n", b"\r\n", PICTURE[:60]])
    | st.binary(max_size=40),
    max_size=6,
).map(b"".join)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=BODIES, chunked=st.booleans())
async def test_whatever_is_sent_is_answered_in_a_sentence(site, body, chunked):
    async def in_pieces():
        for at in range(0, len(body), 100):
            yield body[at : at + 100]

    answer = await site.post(in_pieces() if chunked else body)
    if answer.status_code == 200:
        await site.files.delete(answer.json()["source"]["url"])
    else:
        assert answer.status_code in (400, 415)
        assert answer.json()["detail"].endswith(".")
    assert site.kept == []

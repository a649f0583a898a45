"""What a session keeps of the pictures that are sent to it, and for how long."""

import asyncio
import contextlib
import os
import stat
from collections.abc import AsyncIterator

import pytest

from pipeline.picture_decoder import Picture
from serving.session_files import MAX_RECEIVING, QuotaError, SessionFiles
from tests.support.pictures import PLACE, noise, placed
from tests.support.upload_site import (
    END,
    Site,
    assert_refused,
    open_sizes,
    part,
    site_in,
    until_nothing_is_open,
    until_something_arrived,
)

PICTURE = noise("PNG")


@pytest.fixture
async def site(tmp_path) -> AsyncIterator[Site]:
    async with site_in(tmp_path) as site:
        yield site


async def test_a_session_may_have_so_many_that_wait(tmp_path):
    files = SessionFiles(tmp_path / "files", max_files=2, max_bytes=10_000)
    files.create()
    first = await files.keep(Picture(bytes(4000), 1, 1))
    with pytest.raises(QuotaError, match="Too many pictures wait"):
        await files.keep(Picture(bytes(6001), 1, 1))
    await files.keep(Picture(bytes(6000), 1, 1))
    with pytest.raises(QuotaError), files.receiving():
        raise AssertionError("there is no room for a third")
    # The session's process reads one.
    of_the_session = SessionFiles(files.folder)
    assert await of_the_session.load(first) == bytes(4000)
    await of_the_session.delete(first)
    await files.keep(Picture(bytes(10), 1, 1))


async def test_the_quota_is_told_in_a_sentence(site):
    site.files._max_files = 1
    assert (await site.upload(PICTURE)).status_code == 200
    assert_refused(await site.upload(PICTURE), 429, "Too many pictures wait to be shown")


async def test_with_the_session_its_files_are_gone_and_what_comes_later_is_refused(site):
    await site.upload(PICTURE)
    async with site.connection("Content-Length: 100000") as connection:
        await connection.send(part(PICTURE)[:5000])
        await until_something_arrived(site.files.folder)
        await site.files.remove()
        assert os.listdir(site.files.folder.parent) == []
        await site.files.remove()
    assert_refused(await site.upload(PICTURE), 404, "not running")
    assert os.listdir(site.files.folder.parent) == []


async def test_one_that_is_whole_when_the_session_ends_is_not_kept(site):
    body = part(PICTURE) + END
    async with site.connection(f"Content-Length: {len(body)}", "Connection: close") as connection:
        await connection.send(body[:-4])
        await until_something_arrived(site.files.folder)
        await site.files.remove()
        await connection.send(body[-4:])
        assert await connection.answer() == (404, "This session is not running.")
    assert os.listdir(site.files.folder.parent) == []


async def test_nobody_finds_what_they_were_not_told(site):
    await site.upload(PICTURE)
    for guess in ("pipecat:", "pipecat:../files", f"pipecat:{'0' * 32}", "/etc/passwd"):
        with pytest.raises(FileNotFoundError):
            await site.files.load(guess)
        await site.files.delete(guess)
    assert len(site.kept) == 1


async def test_nobody_else_on_the_machine_can_look_at_it(site):
    assert stat.S_IMODE(site.files.folder.stat().st_mode) == 0o700


async def test_only_the_clean_picture_is_kept(site):
    await site.upload(placed("JPEG"))
    (path,) = site.kept
    content = path.read_bytes()
    assert PLACE not in content and b"source=upload" in content


async def test_two_are_taken_at_a_time_and_others_meanwhile_refused(site):
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(MAX_RECEIVING):
            connection = await stack.enter_async_context(site.connection("Content-Length: 100000"))
            await connection.send(part(PICTURE)[:5000])
        async with asyncio.timeout(10):
            while len(open_sizes(site.files.folder)) < MAX_RECEIVING:
                await asyncio.sleep(0.01)
        assert_refused(await site.upload(PICTURE), 429, "on their way")
    await until_nothing_is_open(site.files.folder)
    assert (await site.upload(PICTURE)).status_code == 200

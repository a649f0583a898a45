"""What the browser makes of the line: how much it sends."""

import asyncio

from pipeline.webrtc_line import CAMERA_BPS
from tests.page.support import connect

KEEP_CONNECTIONS = """
const Connection = RTCPeerConnection;
window.connections = [];
window.RTCPeerConnection = class extends Connection {
    constructor(...options) { super(...options); window.connections.push(this); }
};
"""
MAY_SEND_BPS = """async () => {
    const reports = await Promise.all(window.connections.map(one => one.getStats()));
    const stats = reports.flatMap(report => [...report.values()]);
    return Math.max(...stats.map(one => one.availableOutgoingBitrate ?? 0));
}"""


async def test_a_browser_sends_no_more_video_than_it_is_asked_for(page):
    await page.add_init_script(KEEP_CONNECTIONS)
    await page.reload()
    await connect(page)
    await page.get_by_test_id("cam").click()
    async with asyncio.timeout(15):
        while await page.evaluate(MAY_SEND_BPS) != CAMERA_BPS:
            await asyncio.sleep(0.2)

"""Which STUN and TURN servers a call is given, and by which name."""

import base64
import hashlib
import hmac

import pytest
from aiortc import RTCConfiguration, RTCIceGatherer, RTCIceServer, RTCPeerConnection

from pipeline.ice_servers import ice_servers, own_ice_servers
from pipeline.settings import Settings, load_settings

NOW_S = 1767222000.9


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in Settings.variables():
        monkeypatch.delenv(name, raising=False)


def settings(monkeypatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings(env_file=None)


def test_by_itself_there_are_none(monkeypatch):
    assert ice_servers(settings(monkeypatch), session_id="0123abcd", now_s=NOW_S) == []


def test_given_ones_are_handed_on_as_they_are(monkeypatch):
    given = settings(
        monkeypatch,
        PIPECAT_ICE_SERVERS='["stun:a", {"urls": ["turn:b"], "username": "u", "credential": "c"}]',
    )
    assert ice_servers(given, session_id="0123abcd", now_s=NOW_S) == [
        {"urls": "stun:a"},
        {"urls": ["turn:b"], "username": "u", "credential": "c"},
    ]


def test_a_turn_name_tells_when_it_ends_and_whose_it_is(monkeypatch):
    given = settings(
        monkeypatch,
        PIPECAT_ICE_SERVERS="stun:a",
        SALON_TURN_URLS="turn:b, turns:b:443?transport=tcp",
        SALON_TURN_SECRET="north",
    )
    stun, turn = ice_servers(given, session_id="0123abcd", now_s=NOW_S)
    assert stun == {"urls": "stun:a"}
    assert turn == {
        "urls": ["turn:b", "turns:b:443?transport=tcp"],
        "username": "1767225600:0123abcd",
        # printf 1767225600:0123abcd | openssl dgst -sha1 -hmac north -binary | base64
        "credential": "V3nBwcfaIBsVMvaEg0/b9VPFFFM=",
    }


def test_it_is_good_for_as_long_as_is_set(monkeypatch):
    given = settings(
        monkeypatch,
        SALON_TURN_URLS="turn:b",
        SALON_TURN_SECRET="north",
        SALON_TURN_TTL_S="60",
    )
    (turn,) = ice_servers(given, session_id="x", now_s=NOW_S)
    assert turn["username"] == "1767222060:x"
    signed = hmac.new(b"north", b"1767222060:x", hashlib.sha1).digest()
    assert turn["credential"] == base64.b64encode(signed).decode()


def test_a_machine_with_a_public_address_uses_none_itself(monkeypatch):
    given = settings(
        monkeypatch,
        PIPECAT_ICE_SERVERS="stun:a",
        SALON_TURN_URLS="turn:b",
        SALON_TURN_SECRET="north",
        SALON_PUBLIC_ADDRESS="203.0.113.7",
    )
    assert own_ice_servers(given, session_id="x", now_s=NOW_S) == []
    assert len(ice_servers(given, session_id="x", now_s=NOW_S)) == 2


async def test_what_aiortc_raises_for_is_left_to_browsers(monkeypatch):
    """aiortc 1.16.0 does not read IPv6 addresses: one of them would end every call."""
    given = settings(
        monkeypatch,
        PIPECAT_ICE_SERVERS="stun:[2001:db8::7]:3478",
        SALON_TURN_URLS="turn:[2001:db8::7],turn:b?transport=tcp,turns:c:443?transport=tcp",
        SALON_TURN_SECRET="north",
    )
    for server in ice_servers(given, session_id="x", now_s=NOW_S):
        with pytest.raises(ValueError, match="malformed uri"):
            RTCIceGatherer([RTCIceServer(**server)])
    own = own_ice_servers(given, session_id="x", now_s=NOW_S)
    assert [s["urls"] for s in own] == [["turn:b?transport=tcp", "turns:c:443?transport=tcp"]]
    connection = RTCPeerConnection(RTCConfiguration([RTCIceServer(**server) for server in own]))
    connection.createDataChannel("any")
    await connection.close()

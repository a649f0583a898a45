"""What calls are announced with and answered, and what the stand-in is made of: all pure."""

import numpy as np
import pytest
from pipecat.audio.utils import create_stream_resampler, ulaw_to_pcm

from pipeline.phone.call import UNKNOWN, PhoneCall, Provider
from serving.phone import call_xml
from serving.phone.stream_calls import is_over, read_call
from serving.refused import Refused
from understudy.g711 import decode, encode
from understudy.streams.playback import Playback

CALL = PhoneCall(provider=Provider.TWILIO, call_id="CA1")


def test_a_twilio_call_is_read_with_its_headers():
    fields = [("CallSid", "CA1"), ("From", "+15559990000"), ("To", "+15550001111")]
    call = read_call(Provider.TWILIO, [*fields, ("SipHeader_X-Customer", "ab\ncd")])
    assert (call.call_id, call.caller, call.called) == ("CA1", "+15559990000", "+15550001111")
    assert call.sip_headers == {"X-Customer": "ab cd"}


def test_plivo_writes_numbers_without_their_plus():
    fields = [("CallUUID", "b7d0"), ("From", "15559990000"), ("To", "15550001111")]
    call = read_call(Provider.PLIVO, [*fields, ("X-PH-Vip", "yes")])
    assert (call.caller, call.called) == ("+15559990000", "+15550001111")
    assert call.sip_headers == {"Vip": "yes"}


def test_who_withholds_their_number_is_unknown():
    fields = [("CallSid", "CA1"), ("From", "anonymous"), ("To", "+15550001111")]
    assert read_call(Provider.TWILIO, fields).caller == UNKNOWN


@pytest.mark.parametrize("call_id", ["", "../etc", "a b", "x" * 201, "é", "a\n"])
def test_a_call_without_an_identifier_is_refused(call_id):
    with pytest.raises(Refused, match="CallSid must be the call's identifier."):
        read_call(Provider.TELNYX, [("CallSid", call_id)])


def test_the_end_of_a_call_is_no_call():
    assert is_over([("CallUUID", "b7d0"), ("CallStatus", "completed")])
    assert not is_over([("CallUUID", "b7d0"), ("CallStatus", "ringing")])


def test_each_service_is_answered_in_its_own_xml():
    assert b'<Connect><Stream url="wss://a/b" /></Connect><Hangup />' in call_xml.stream(
        Provider.TWILIO, "wss://a/b"
    )
    assert b'<Stream url="wss://a/b" bidirectionalMode="rtp" />' in call_xml.stream(
        Provider.TELNYX, "wss://a/b"
    )
    assert b'keepCallAlive="true" contentType="audio/x-mulaw;rate=8000">wss://a/b</Stream>' in (
        call_xml.stream(Provider.PLIVO, "wss://a/b")
    )
    assert b"<Speak>No.</Speak><Hangup />" in call_xml.say(Provider.PLIVO, "No.")
    assert b"<Dial><User>sip:a@b</User></Dial>" in call_xml.dial(Provider.PLIVO, "sip:a@b")
    assert b"<Dial><Number>+1555</Number></Dial>" in call_xml.dial(Provider.PLIVO, "+1555")


def test_what_a_sip_address_holds_does_not_become_xml():
    xml = call_xml.dial_room("a@b?x=<Hangup/>&y=1")
    assert b"<Sip>sip:a@b?x=&lt;Hangup/&gt;&amp;y=1</Sip>" in xml


async def test_the_stand_ins_mu_law_is_pipecats():
    every = bytes(range(256))
    sound = await ulaw_to_pcm(every, 8000, 8000, create_stream_resampler())
    assert decode(every).tobytes() == sound
    assert decode(encode(decode(every))).tobytes() == sound


def test_a_mark_is_passed_when_what_came_before_was_played():
    playback = Playback()
    playback.put(np.ones(200, np.int16))
    playback.mark("a")
    assert [(len(samples), marks) for samples, marks in (playback.take(), playback.take())] == [
        (160, []),
        (40, ["a"]),
    ]


def test_clearing_gives_the_marks_back_and_plays_nothing_more():
    playback = Playback()
    playback.put(np.ones(200, np.int16))
    playback.mark("a")
    assert playback.clear() == ["a"]
    assert playback.waiting == 0 and not len(playback.take()[0])

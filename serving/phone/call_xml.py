"""What a telephone service is told to do with a call: TwiML, TeXML and Plivo XML. Pure."""

from xml.etree.ElementTree import Element, SubElement, tostring

from pipeline.phone.call import Provider

BUSY = "All lines are busy. Please call again later."


def stream(provider: Provider, url: str) -> bytes:
    """Have the call's sound sent to a WebSocket, both ways; the call ends with it."""
    response = Element("Response")
    if provider is Provider.PLIVO:
        options = {"bidirectional": "true", "keepCallAlive": "true"}
        options["contentType"] = "audio/x-mulaw;rate=8000"
        SubElement(response, "Stream", options).text = url
    else:
        both_ways = {"bidirectionalMode": "rtp"} if provider is Provider.TELNYX else {}
        SubElement(SubElement(response, "Connect"), "Stream", {"url": url, **both_ways})
    # What comes after a stream is done when it is over, whoever closed it.
    SubElement(response, "Hangup")
    return _document(response)


def say(provider: Provider, sentence: str) -> bytes:
    """Say a sentence, and hang up."""
    response = Element("Response")
    SubElement(response, "Speak" if provider is Provider.PLIVO else "Say").text = sentence
    SubElement(response, "Hangup")
    return _document(response)


def dial_room(sip_address: str) -> bytes:
    """Forward a call to a room; it rings until the room has answered."""
    response = Element("Response")
    dial = SubElement(response, "Dial", {"answerOnBridge": "true"})
    SubElement(dial, "Sip").text = _sip(sip_address)
    return _document(response)


def dial(provider: Provider, target: str) -> bytes:
    """Connect a call with a telephone number or a SIP address."""
    response = Element("Response")
    numbers = SubElement(response, "Dial")
    if target.startswith("+"):
        SubElement(numbers, "Number").text = target
    else:
        SubElement(numbers, "User" if provider is Provider.PLIVO else "Sip").text = _sip(target)
    return _document(response)


def nothing() -> bytes:
    """Do nothing."""
    return _document(Element("Response"))


def _sip(address: str) -> str:
    return address if address.startswith(("sip:", "sips:")) else f"sip:{address}"


def _document(response: Element) -> bytes:
    return tostring(response, encoding="UTF-8", xml_declaration=True)

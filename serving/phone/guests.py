"""Who calls by telephone, as limits know them. Pure."""

from pipeline.phone.call import UNKNOWN, PhoneCall
from serving.front_desk import Guest


def guest_of_call(call: PhoneCall) -> Guest:
    """Who calls: by their number, if they show one; the address is the telephone service's."""
    return Guest(client=None, number=None if call.caller == UNKNOWN else call.caller)

"""A stand-in for the telephone services whose calls' sound comes by a WebSocket."""

from understudy.streams.account import Account
from understudy.streams.call import StreamCall
from understudy.streams.phone import StreamPhone

__all__ = ["Account", "StreamCall", "StreamPhone"]

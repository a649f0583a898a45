"""Starts that come all at once, from a client so lean that what it measures is the server.

Two hundred tasks of an HTTP library would wait for one another: here a request is bytes that are
ready, an answer is taken for whole when it holds what its head announces, and between two looks of
the selector nothing is done but to write down the time.
"""

from __future__ import annotations

import gc
import json
import selectors
import socket
import time
from urllib.parse import urlsplit

from bench.serving.figures import Answer

_PATIENCE_S = 10.0
_BODY = b'{"transport": "webrtc", "body": {}}'


def burst(url: str, count: int) -> tuple[list[Answer], list[str]]:
    """Asks for so many sessions at the same moment, each over a connection of its own.

    Args:
        url: The server's.
        count: How many.

    Returns:
        The answers, and the ids of the sessions that were given.
    """
    address = urlsplit(url)
    host, port = address.hostname or "", address.port or 80
    request = _request("POST", "/start", host, port, _BODY)
    connections = [socket.socket() for _ in range(count)]
    asked_s, answers, bodies = [0.0] * count, [Answer(0, 0.0)] * count, [b""] * count
    gc.disable()
    try:
        with selectors.DefaultSelector() as selector:
            for number, connection in enumerate(connections):
                connection.setblocking(False)
                asked_s[number] = time.monotonic()
                connection.connect_ex((host, port))
                selector.register(connection, selectors.EVENT_WRITE, number)
            until_s, left = time.monotonic() + _PATIENCE_S, count
            while left and time.monotonic() < until_s:
                for key, _ in selector.select(0.1):
                    number, connection = key.data, connections[key.data]
                    if key.events == selectors.EVENT_WRITE:
                        connection.sendall(request)
                        selector.modify(connection, selectors.EVENT_READ, number)
                        continue
                    piece = connection.recv(65_536)
                    bodies[number] += piece
                    if not piece or _is_whole(bodies[number]):
                        ms = 1000 * (time.monotonic() - asked_s[number])
                        answers[number] = Answer(_status(bodies[number]), ms)
                        selector.unregister(connection)
                        left -= 1
    finally:
        gc.enable()
        for connection in connections:
            connection.close()
    given = [body for body, answer in zip(bodies, answers, strict=True) if answer.status == 200]
    return answers, [json.loads(body.partition(b"\r\n\r\n")[2])["sessionId"] for body in given]


def give_up(url: str, session_id: str) -> None:
    """Gives a session back that has not begun."""
    address = urlsplit(url)
    host, port = address.hostname or "", address.port or 80
    with socket.create_connection((host, port), timeout=_PATIENCE_S) as connection:
        connection.sendall(_request("DELETE", f"/sessions/{session_id}", host, port))
        answer = b""
        while b"\r\n\r\n" not in answer and (piece := connection.recv(65_536)):
            answer += piece
    if _status(answer) != 204:
        raise RuntimeError(f"a session can't be given back: {answer.decode(errors='replace')}")


def _request(method: str, path: str, host: str, port: int, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return False


def _status(answer: bytes) -> int:
    words = answer.split(None, 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0

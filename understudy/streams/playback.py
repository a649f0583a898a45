"""What a service has been sent and has still to play to the caller. Pure."""

from collections import deque

import numpy as np

from understudy.streams.sound import PIECE


class Playback:
    """Sound in the order in which it came, with the marks in between.

    Attributes:
        waiting: How many samples are waiting.
        most: How many samples were waiting at most.
    """

    def __init__(self) -> None:
        self._queue: deque[np.ndarray | str] = deque()
        self.waiting = 0
        self.most = 0

    def put(self, samples: np.ndarray) -> None:
        """More sound came."""
        self._queue.append(samples)
        self.waiting += len(samples)
        self.most = max(self.most, self.waiting)

    def mark(self, name: str) -> None:
        """Tell of it when all that came before was played."""
        self._queue.append(name)

    def clear(self) -> list[str]:
        """Throw all away.

        Returns:
            The marks that were waiting.
        """
        marks = [one for one in self._queue if isinstance(one, str)]
        self._queue.clear()
        self.waiting = 0
        return marks

    def take(self) -> tuple[np.ndarray, list[str]]:
        """What is played in the next 20 ms, which may be less or nothing, and the marks passed."""
        pieces: list[np.ndarray] = []
        marks: list[str] = []
        left = PIECE
        while self._queue and (left or isinstance(self._queue[0], str)):
            first = self._queue.popleft()
            if isinstance(first, str):
                marks.append(first)
                continue
            if len(first) > left:
                self._queue.appendleft(first[left:])
                first = first[:left]
            pieces.append(first)
            left -= len(first)
        self.waiting -= PIECE - left
        return (np.concatenate(pieces) if pieces else np.zeros(0, np.int16)), marks

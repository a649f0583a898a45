"""A client without a network whose session has a director: faults on a fake clock."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from typing import Any

from tests.understudy.support import Client
from understudy.acts import Act, BlackHole, Pongs, Raw, Reset
from understudy.director import Director
from understudy.effects import Effect
from understudy.memory import ResumptionStore
from understudy.routes import AuthMode
from understudy.rules import Rule, read_option
from understudy.wire import parse


class Stage(Client):
    """Talks to a `Session` through a `Director`.

    Attributes:
        rules: The faults; hand them to another stage to share what they know.
        broken: What was done to the link, in order: (seconds, act).
    """

    def __init__(
        self,
        *faults: str | Rule,
        connection: int = 1,
        store: ResumptionStore | None = None,
        auth_modes: Collection[AuthMode] = (),
        **options: Any,
    ) -> None:
        super().__init__(store, **options)
        self.rules = [read_option(fault) if isinstance(fault, str) else fault for fault in faults]
        self.broken: list[tuple[float, Act]] = []
        self.director = Director(
            self.rules, connection=connection, now_s=self.now_s, auth_modes=auth_modes
        )
        self.closed_s: float | None = None

    def say(self, **message: Any) -> None:
        for part in parse(json.dumps(message)):
            heard = self.director.hear(part, self.now_s)
            self._do([e for one in heard for e in self._session.receive(one, self.now_s)])

    def wait(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while (due_s := self._next_due_s()) is not None and due_s <= end_s:
            self.now_s = max(self.now_s, due_s)
            self._do(self._session.tick(self.now_s))
        self.now_s = end_s
        self._do([])

    def _next_due_s(self) -> float | None:
        due = (self._session.next_due_s, self.director.next_due_s)
        return None if self.closed else min((t for t in due if t is not None), default=None)

    def _do(self, effects: list[Effect]) -> None:
        for act in self.director.direct(effects, self.now_s):
            if isinstance(act, Raw | Reset | BlackHole | Pongs):
                self.broken.append((self.now_s, act))
            else:
                super_do(self, act)

    def inject(self, fault: str) -> None:
        """Switches a fault on while the session runs."""
        self.director.add(read_option(fault))
        self._do([])

    # What came back

    def contents(self) -> list[str]:
        """The fields of serverContent in order, runs of the same one as one."""
        fields = self.content_fields()
        return [f for i, f in enumerate(fields) if i == 0 or fields[i - 1] != f]

    def audio(self) -> list[tuple[float, bytes]]:
        """Every piece of audio with its time."""
        pieces = []
        for time_s, message in self.sent:
            for part in message.get("serverContent", {}).get("modelTurn", {}).get("parts", ()):
                data = part["inlineData"]["data"]
                pieces.append((time_s, base64.b64decode(data) if isinstance(data, str) else data))
        return pieces


def super_do(stage: Stage, act: Effect) -> None:
    """Does what a client without a director does, and notes when the end came."""
    Client._do(stage, [act])
    if stage.closed and stage.closed_s is None:
        stage.closed_s = stage.now_s


CALL = "undeclared-tool-call:at=after-setup,name=lookup,id=call-"
"""A running tool call `call-0`, made by the director itself."""


def respond(stage: Stage, call: str = "call-0") -> None:
    response = {"id": call, "name": "lookup", "response": {"result": "ok"}}
    stage.say(toolResponse={"functionResponses": [response]})

"""A session that is set up: its parts, and who knows whom. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from understudy.client_input import ClientInput
from understudy.dialogue import Dialogue
from understudy.effects import Outbox
from understudy.gathering import Gathering
from understudy.handles import Handles
from understudy.knowledge import Knowledge
from understudy.limits import Lifetime
from understudy.memory import Memory, ResumptionStore
from understudy.quotas import Account
from understudy.scenario import Scenario
from understudy.setup import Settings
from understudy.usage import text_tokens


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a session has once it is set up.

    Attributes:
        client: Takes the client's messages.
        gathering: What has come in for the next answer.
        dialogue: Answers.
        handles: Tells how to resume it.
        lifetime: When the connection ends.
    """

    client: ClientInput
    gathering: Gathering
    dialogue: Dialogue
    handles: Handles
    lifetime: Lifetime

    @property
    def next_due_s(self) -> float:
        """When something of it has something to do."""
        answer_s, end_s = self.dialogue.next_due_s, self.lifetime.next_due_s
        return end_s if answer_s is None else min(answer_s, end_s)


def begin_conversation(
    settings: Settings,
    *,
    memory: Memory,
    scenario: Scenario | None,
    store: ResumptionStore,
    new_id: Callable[[], str],
    new_number: Callable[[], int],
    outbox: Outbox,
    account: Account,
    now_s: float,
    clock_scale: float,
    owner: object,
) -> Conversation:
    """Puts a conversation together.

    Args:
        settings: What the setup asked for.
        memory: What the session knows already; a resumed one knows something.
        scenario: What to say instead of what was seen and heard.
        store: Where resumption handles are kept.
        new_id: Makes resumption handles.
        new_number: Makes the numbers in the ids of function calls.
        outbox: Takes the effects.
        account: Is charged for each turn.
        now_s: When the connection was set up.
        clock_scale: How many times faster than real the limits pass.
        owner: Stands for the connection, beside the handles it is given.

    Raises:
        ProtocolError: 1007; the session has used up its time.
    """
    lifetime = Lifetime(
        settings.profile,
        started_s=now_s,
        age_s=memory.age_s,
        compresses=settings.sliding is not None,
        saw_video=memory.saw_video,
        scale=clock_scale,
    )
    knowledge = Knowledge(memory, settings=settings, outbox=outbox)
    if settings.handle is None:
        knowledge.count_instruction(text_tokens(settings.instruction))
    knowledge.count_tools(settings.tool_tokens)
    gathering = Gathering(settings, knowledge=knowledge, outbox=outbox)
    handles = Handles(
        settings,
        knowledge=knowledge,
        store=store,
        new_id=new_id,
        outbox=outbox,
        started_s=now_s,
        owner=owner,
    )
    dialogue = Dialogue(
        settings,
        knowledge=knowledge,
        gathering=gathering,
        handles=handles,
        scenario=scenario,
        new_number=new_number,
        account=account,
        outbox=outbox,
    )
    client = ClientInput(
        settings, knowledge=knowledge, gathering=gathering, dialogue=dialogue, outbox=outbox
    )
    return Conversation(client, gathering, dialogue, handles, lifetime)

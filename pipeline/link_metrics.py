"""What the link to the model did, for whoever counts."""

from pipecat.metrics.metrics import MetricsData

from pipeline.link import LinkState


class LinkMetricsData(MetricsData):
    """A change of the link's state; of one that stays as it is, that something got lost.

    Parameters:
        state: The new state.
        previous_state: The one before.
        previous_s: How long that lasted, or has lasted since it was last measured.
        lost_audio_s: Seconds of what was said that got lost since it was last measured, because
            no more could be kept.
        lost_messages: How many typed messages and pictures got lost in the same way.
    """

    state: LinkState
    previous_state: LinkState
    previous_s: float
    lost_audio_s: float = 0.0
    lost_messages: int = 0

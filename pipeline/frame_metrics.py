"""What became of the frames of a camera or a screen, for whoever counts."""

from pipecat.metrics.metrics import MetricsData


class FrameMetricsData(MetricsData):
    """What the limiter has decided about one source since it was last measured.

    Parameters:
        source: `camera`, `screenVideo` or a transport's own name.
        shown: How many frames were shown, by `Reason`.
        left_out: How many were not, by `LeftOut`.
        pressure: How hard it is to get anything out, from 0 to 1.
        jpeg_bytes: Of the frame that was shown last; 0 when none was.
    """

    source: str
    shown: dict[str, int]
    left_out: dict[str, int]
    pressure: float
    jpeg_bytes: int = 0

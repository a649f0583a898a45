"""What the model has counted, by modality, and what it costs, for whoever counts."""

from pipecat.metrics.metrics import MetricsData


class UsageMetricsData(MetricsData):
    """One message of the Live API that counts tokens.

    Parameters:
        tokens: By the kinds of `pipeline.costs.Tokens`; what there is none of is left out.
        cost_so_far_usd: What the session has cost with it, in US dollars; None when a price that
            it takes is not known.
    """

    tokens: dict[str, int]
    cost_so_far_usd: float | None

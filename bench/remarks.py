"""What has to be said beside the figures and the tables of a run, a sentence each."""

from collections.abc import Iterator

from bench.disk import IN_MEMORY_TOLD
from bench.outcome import Outcome
from bench.register import QUANTITIES, title_of
from bench.servers import PENSTOCK
from bench.stream_measurements import READERS


def remarks(outcome: Outcome) -> Iterator[str]:
    """Yield the sentences."""
    if outcome.is_in_memory:
        yield f"What waits for the disk is not told of here: {IN_MEMORY_TOLD}."
    for wanted in READERS:
        for server in outcome.values:
            readers = outcome.median(server, f"drain-{wanted}-readers")
            if readers is not None and readers < wanted:
                yield (
                    f"Draining with {wanted} readers: there were {readers:.0f} on "
                    f"{title_of(server)}, whose stream has no more shards."
                )
    early = outcome.median(PENSTOCK, "receipt-early")
    pace = outcome.median(PENSTOCK, "receipt-pace")
    if early is not None and pace is not None:
        yield (
            f"Acknowledged write to receipt: {pace:,.0f} writes/s were reached, and {early:.1f} % "
            "of the records were with the reader before the writer had handled the "
            "acknowledgement. Their times are negative, and count as they are."
        )


def lacking(outcome: Outcome) -> Iterator[str]:
    """Yield what servers that are there could not be measured by, and why."""
    for reason, lacks in outcome.lacks().items():
        quantities = [QUANTITIES[quantity] for _, quantity in lacks]
        names = dict.fromkeys(each.title for each in quantities if not each.is_remark)
        servers = dict.fromkeys(title_of(server) for server, _ in lacks)
        yield f"{', '.join(names)} ({'; '.join(servers)}): {reason}"

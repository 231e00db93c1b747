"""What has to be said beside the figures and the tables of a run, a sentence each."""

import statistics
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
    yield from _of_functions(outcome)


def _of_functions(outcome: Outcome) -> Iterator[str]:
    early = outcome.median(PENSTOCK, "first-line-early")
    pace = outcome.median(PENSTOCK, "first-line-pace")
    if early is not None and pace is not None:
        yield (
            f"Acknowledged write to the handler's first line: {pace:,.0f} writes/s, one at a time, "
            f"and {early:.1f} % of the handlers began before the writer had handled the "
            "acknowledgement. Their times are negative, and count as they are."
        )
    share = _own_ratio(outcome, "function-records", "function-invoked")
    if share is not None:
        yield (
            f"By its mapping the function is given {share:.2f} times as many records a second as "
            "by Invoke, with the same events and as many at once."
        )
    idle = _own_ratio(outcome, "put-idle-mapping", "put-no-mapping")
    mapped = _own_ratio(outcome, "put-mapped", "put-no-mapping")
    given = outcome.median(PENSTOCK, "put-mapped-given")
    if idle is not None and mapped is not None and given is not None:
        yield (
            f"PutItem beside an idle mapping does {idle:.2f} of what it does without one, and "
            f"{mapped:.2f} while its own changes are given to a function, {given:,.0f} a second."
        )


def _own_ratio(outcome: Outcome, top: str, bottom: str) -> float | None:
    """Return the median of the rounds' ratios of two quantities of Penstock."""
    rounds = outcome.round_ratios((PENSTOCK, top), (PENSTOCK, bottom))
    return statistics.median(rounds) if rounds else None


def lacking(outcome: Outcome) -> Iterator[str]:
    """Yield what servers that are there could not be measured by, and why."""
    for reason, lacks in outcome.lacks().items():
        quantities = [QUANTITIES[quantity] for _, quantity in lacks]
        names = dict.fromkeys(each.title for each in quantities if not each.is_remark)
        servers = dict.fromkeys(title_of(server) for server, _ in lacks)
        yield f"{', '.join(names)} ({'; '.join(servers)}): {reason}"

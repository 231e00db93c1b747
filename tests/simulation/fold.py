"""Whether the records between two snapshots make the items of the second of those of the first."""

from collections.abc import Mapping, Sequence

from simulation.ledger import Image, Logged, mark_of
from simulation.wrong import Checker, Wrong


def check_fold(
    was: Mapping[str, Image],
    now: Mapping[str, Image],
    records: Sequence[Logged],
    earlier: int | None,
    stream: int | None,
) -> None:
    """Raise Wrong where new records do not lead from the items `was` to the items `now`.

    `earlier` and `stream` are the numbers of the table's stream then and now, None for none. Where
    they differ, changes came before the one was made or after the other had ended: then only each
    stream's own records must fit together, and what it began or ended with.
    """
    folded: dict[tuple[int, str], Image | None] = {}
    for record in records:
        place = (record.stream, record.key)
        if record.stream == earlier:
            folded.setdefault(place, was.get(record.key))
        if place in folded and folded[place] != record.old:
            raise Wrong(
                Checker.FOLD,
                f"{record}: the records before it left the mark {mark_of(folded[place])}",
            )
        if record.record["eventName"] != _event(record):
            raise Wrong(Checker.FOLD, f"{record} is no {record.record['eventName']}")
        folded[place] = record.new
    if stream is None:
        return
    keys = list({**was, **now}) if stream == earlier else [k for s, k in folded if s == stream]
    for key in keys:
        image = folded.get((stream, key), was.get(key))
        if image != now.get(key):
            raise Wrong(
                Checker.FOLD,
                f"the item {key} folds to {mark_of(image)}, but the table has"
                f" {mark_of(now.get(key))}",
            )


def _event(record: Logged) -> str:
    if record.old is None:
        return "INSERT"
    return "REMOVE" if record.new is None else "MODIFY"

"""Where the tests keep what they install or build once: `.cache` of the checkout.

Each thing goes into a directory named by a digest of what it is made from: made beside it and moved
there when complete, so that neither an interruption nor a second run at the same time leaves half
of it.
"""

import fcntl
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache"


def made_once(
    name: str, sources: Iterable[Path], content: str, make: Callable[[Path], None]
) -> Path:
    """Return the path, named `content`, of what `make` moves there if it is absent.

    It is made from `sources`, whose bytes are in the digest.
    """
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.read_bytes())
    place = CACHE / f"{name}-{digest.hexdigest()[:16]}" / content
    with _one_at_a_time(name):
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            make(place)
    return place


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.guard").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield

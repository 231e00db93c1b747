"""A server that is none: what a run does with one can be seen without its process."""

import tempfile
from pathlib import Path
from typing import cast

from bench.processes import Child
from bench.servers import Running, Server


class Still:
    """A child process, and the folder of its data, that do nothing."""

    process_id = 1

    def pause(self) -> None:
        """Stand still."""

    def resume(self) -> None:
        """Go on."""

    def stop(self) -> None:
        """End."""

    def cleanup(self) -> None:
        """Be gone."""

    def has_ended(self) -> bool:
        """Say that it has not."""
        return False


def standing(server: Server) -> Running:
    """Return a server that is said to run; nobody listens on its port."""
    still = Still()
    folder = cast("tempfile.TemporaryDirectory[str]", still)
    return Running(server, "1", cast("Child", still), 1, Path("data"), folder)

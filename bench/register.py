"""Lists everything that is measured, and every quantity."""

from bench.function_measurements import FUNCTION_MEASUREMENTS
from bench.lone_measurements import LONE_MEASUREMENTS
from bench.measurements import Lone, Measurement, Quantity
from bench.node_measurements import NODE_MEASUREMENTS
from bench.request_measurements import REQUEST_MEASUREMENTS
from bench.scale_measurements import SCALE_MEASUREMENTS, SCALE_SERVERS
from bench.servers import ENGINE, FLOOR, SERVERS, Server
from bench.stream_measurements import STREAM_MEASUREMENTS

MEASUREMENTS: dict[str, Measurement] = {
    each.name: each
    for each in (
        *REQUEST_MEASUREMENTS,
        *NODE_MEASUREMENTS,
        *STREAM_MEASUREMENTS,
        *FUNCTION_MEASUREMENTS,
        *SCALE_MEASUREMENTS,
    )
}
LONE: dict[str, Lone] = {each.name: each for each in LONE_MEASUREMENTS}

_ALL: list[Measurement | Lone] = [*MEASUREMENTS.values(), *LONE.values()]
QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity for each in _ALL for quantity in each.gives
}

ALL_SERVERS: dict[str, Server] = SERVERS | SCALE_SERVERS


def title_of(server: str) -> str:
    """Return how a server is called in a table."""
    if server in ALL_SERVERS:
        return ALL_SERVERS[server].title
    return {FLOOR: "bare HTTP server", ENGINE: "engine alone"}.get(server, server)

"""Measures PutItem through two nodes over one database: the same items, half of them by each."""

from bench.load import Load, drive
from bench.measurements import Course, Measurement, Quantity, need_wrk
from bench.postgres import node_ports
from bench.request_measurements import prepare_table
from bench.servers import POSTGRES, Running
from bench.work import WORKLOADS

_PUT = WORKLOADS["put"]

TWO_NODES = Quantity(
    "put-two-nodes", "PutItem, with stream, by two nodes", "requests/s", is_durable=True
)


def _prepare(running: Running, course: Course) -> None:
    prepare_table(running, course, _PUT.table)
    _puts_per_second(running, course, course.plan.warm_up_seconds)


def _measure(running: Running, course: Course) -> tuple[float, ...]:
    return (_puts_per_second(running, course, course.seconds_of(running.server.name)),)


def _puts_per_second(running: Running, course: Course, seconds: int) -> float:
    ports = node_ports(running.data)
    # wrk has a thread for each node. So a run with one thread gives it one more here than where
    # one node is driven, which takes nothing from the nodes but what sending costs.
    driving = Load(course.plan.connections, len(ports), seconds)
    value = course.values(_PUT.walks)
    return drive(running.host, running.port, _PUT, driving, value, ports).per_second


NODE_MEASUREMENTS = (
    Measurement(
        TWO_NODES.name,
        (TWO_NODES,),
        _measure,
        _prepare,
        "put",
        frozenset({POSTGRES}),
        need=need_wrk,
    ),
)

"""The limits of one server: those of `penstock.base.limits`, in a form that a test can shrink."""

from dataclasses import dataclass

from penstock.base import limits


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """What one server allows its clients; times in seconds, sizes in bytes."""

    body_bytes_max: int = limits.request_body_bytes_max
    upload_bytes_max: int = limits.function_request_bytes_max
    header_bytes_max: int = limits.header_bytes_max
    header_count_max: int = limits.header_count_max
    header_seconds_max: float = limits.header_seconds_max
    body_seconds_max: float = limits.body_seconds_max
    idle_seconds_max: float = limits.idle_seconds_max
    write_seconds_max: float = limits.write_seconds_max
    linger_seconds_max: float = limits.linger_seconds_max
    stop_seconds_max: float = limits.stop_seconds_max
    sweep_seconds: float = limits.sweep_seconds
    connections_max: int = limits.connections_max
    backlog_connections_max: int = limits.backlog_connections_max
    pipelined_requests_max: int = limits.pipelined_requests_max
    pipelined_bytes_max: int = limits.pipelined_bytes_max
    buffered_bytes_max: int = limits.buffered_bytes_max
    write_buffer_bytes_max: int = limits.write_buffer_bytes_max

"""The work of `penstock poll`: one mapping by the mapping engine, over a store of its own.

Told to stop, the mapping is disabled as by the API, so that what is under way ends first. Killed,
it resumes from its checkpoints as a server's does.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass

import uvloop
from botocore.exceptions import BotoCoreError, ClientError

from penstock.app.endpoint import Endpoint, open_endpoint
from penstock.app.output import end_process
from penstock.app.own_server import EndpointError
from penstock.app.poll import DESTINATION_SETTINGS
from penstock.app.poll_plan import BadPlan, Plan, plan_of, region_of, table_of
from penstock.app.poll_progress import PollProgress
from penstock.app.poll_store import Found, disable, enable, find, is_disabled, open_store
from penstock.app.settings import SettingError, read_settings
from penstock.app.tail_feed import find_stream
from penstock.base import limits
from penstock.base.background import Background
from penstock.base.clock import Clock, SystemClock
from penstock.base.environment import environment
from penstock.base.errors.engine import EngineError
from penstock.base.ids import Entropy
from penstock.base.timers import Timers
from penstock.consumers.counts import MappingCounts
from penstock.consumers.destinations import Destinations
from penstock.consumers.engine import MappingEngine
from penstock.consumers.remote_source import RemoteSource
from penstock.consumers.source import SourceGone, SourceUnavailable
from penstock.functions.destination import Endpoints
from penstock.functions.mapping import Mapping
from penstock.functions.remote_invoker import RemoteInvoker
from penstock.storage.waist import Engine

_NOT_UNDERSTOOD = 2
_FAILED = 1
_STOPPING = (signal.SIGTERM, signal.SIGINT)


class PollError(Exception):
    """The mapping cannot begin; the text is one line for a person."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the stream is."""

    endpoint: Endpoint
    stream_arn: str

    def __str__(self) -> str:
        return f"{table_of(self.stream_arn)} in {self.endpoint.place()}"


def poll(arguments: argparse.Namespace) -> int:
    """Run the mapping that `arguments` ask for until told to stop; return what else it was."""
    try:
        endpoints = _endpoints(arguments)
        plan = plan_of(arguments, endpoints)
    except (BadPlan, SettingError) as error:
        return _refuse(str(error), _NOT_UNDERSTOOD)
    try:
        place = _find_stream(arguments)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_poll(arguments, plan, endpoints, place))
    except (EndpointError, EngineError, PollError) as error:
        return _refuse(str(error), _FAILED)
    for number in _STOPPING:  # all is done: asking again must not make it a failure
        signal.signal(number, signal.SIG_IGN)
    return end_process()  # and wait for no call that nobody wants any more


def _refuse(text: str, status: int) -> int:
    line = " ".join(f"penstock poll: {text}".split())
    print(line, file=sys.stderr)  # noqa: T201 - a command's own output
    return status


def _endpoints(arguments: argparse.Namespace) -> Endpoints:
    """Return where destinations are, by flags and variables; SettingError where that is wrong."""
    names = {setting.variable for setting in DESTINATION_SETTINGS}
    flags = {setting.name: getattr(arguments, setting.name) for setting in DESTINATION_SETTINGS}
    settings = read_settings(
        flags | {"data": str(arguments.checkpoints)},
        {name: text for name, text in environment().items() if name in names},
    )
    return settings.endpoints


def _find_stream(arguments: argparse.Namespace) -> _Place:
    """Return where the stream is; EndpointError where it cannot be had."""
    region = arguments.region
    if region is None and arguments.stream_arn is not None:
        named = region_of(arguments.stream_arn)
        region = named if "-" in named else None  # that of DynamoDB Local is none to sign for
    endpoint = open_endpoint(arguments.stream_endpoint, region)
    if arguments.stream_arn is not None:
        return _Place(endpoint, arguments.stream_arn)
    return _Place(endpoint, find_stream(endpoint, arguments.table, from_start=True).arn)


async def _poll(
    arguments: argparse.Namespace, plan: Plan, endpoints: Endpoints, place: _Place
) -> None:
    clock, entropy, stop = SystemClock(), Entropy(), asyncio.Event()
    for number in _STOPPING:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    source = _source(place, clock)
    store = await open_store(arguments.checkpoints, clock)
    try:
        found = find(store, plan, place.stream_arn, clock, entropy)
        await _look(place, source, found)
        await enable(store, plan, found.mapping, clock.now_ms())
        invoker = RemoteInvoker({plan.function_name: plan.function}, arguments.function_seconds)
        destinations = Destinations(endpoints)
        engine = MappingEngine(
            store, Timers(clock), entropy, invoker, destinations, lambda _: source
        )
        progress = PollProgress(lambda: _counts(engine, found.mapping), clock)
        begins = f"from {plan.starting_position} on" if found.is_new else "from its checkpoints on"
        progress.say(f"{place} to {plan.function}, {begins} (kept in {arguments.checkpoints})")
        background = Background([engine.job])
        await background.start()
        await progress.show_until(stop)
        stop.clear()  # being told again ends it at once
        has_ended = await _end(store, found.mapping, engine, stop)
        told = f"stopped: {progress.text()}"
        await background.stop()
        await engine.stop()
        for each in (invoker, destinations, source):
            each.close()
        progress.say(told if has_ended else f"{told}; what was under way will be sent again")
    finally:
        store.close()


def _source(place: _Place, clock: Clock) -> RemoteSource:
    settings = {
        "retries": {"mode": "standard", "total_max_attempts": 1},  # the engine tries again
        "max_pool_connections": limits.remote_reads_max,
    }
    return RemoteSource(place.endpoint.streams(settings), place.stream_arn, clock)


async def _look(place: _Place, source: RemoteSource, found: Found) -> None:
    """Make sure that the stream can be read, and that LATEST is now; PollError."""
    mapping = found.mapping
    try:
        if found.is_new and mapping.starting_position == "LATEST":
            await source.fix_latest(mapping.created_ms)
        else:
            await source.shards()
    except SourceGone as error:
        told = f"no stream {place.stream_arn} in {place.endpoint.place()}"
        raise PollError(told) from error
    except SourceUnavailable as error:
        cause = error.__cause__
        if isinstance(cause, (ClientError, BotoCoreError)):
            raise PollError(place.endpoint.explain(cause)) from error
        raise PollError(str(error)) from error


def _counts(engine: MappingEngine, mapping: Mapping) -> MappingCounts | None:
    """Return the counts of the mapping; None as long as it does not run."""
    running = (each.counts for each in engine.shown() if each.mapping.uuid == mapping.uuid)
    return next(running, None)


async def _end(
    store: Engine, mapping: Mapping, engine: MappingEngine, again: asyncio.Event
) -> bool:
    """Disable the mapping, and say whether what was under way has ended by that.

    It has some time for that, unless it is told to stop again.
    """
    await disable(store, mapping)
    engine.job.alarm.ring()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limits.poll_stop_seconds_max):
            while not is_disabled(store, mapping) and not again.is_set():
                await asyncio.sleep(limits.poll_look_seconds)
    return is_disabled(store, mapping)

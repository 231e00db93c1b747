"""`penstock serve`: run the server until SIGTERM or SIGINT, then finish what is in flight.

Whatever keeps it from running is told in one line on stderr, and nothing on disk is changed.
"""

import argparse
import asyncio
import contextlib
import errno
import gc
import os
import signal

import uvloop

from penstock import __version__
from penstock.app.assembly import assemble, claim_store, open_engine, server_clock
from penstock.app.log import log_to_stderr
from penstock.app.output import end_process
from penstock.app.settings import SettingError, Settings, add_arguments, read_settings
from penstock.base import limits
from penstock.base.clock import SystemClock
from penstock.base.environment import environment
from penstock.base.errors.engine import EngineError
from penstock.base.ids import Entropy
from penstock.edge.server import Server

__all__ = ["add_arguments", "run"]

_BAD_SETTING = 2
_FAILED = 1
_STOPPING = (signal.SIGTERM, signal.SIGINT)


class CannotListen(Exception):
    """The address cannot be had; the text says why."""


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop and end the process; return a status where it could not serve.

    What kept it is told in one line on stderr.
    """
    try:
        settings = read_settings(vars(arguments), environment())
    except SettingError as error:
        return _refuse(str(error), _BAD_SETTING)
    log_to_stderr()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings))
    except (EngineError, CannotListen) as error:
        return _refuse(str(error), _FAILED)
    for number in _STOPPING:  # all is done: asking again must not make it a failure
        signal.signal(number, signal.SIG_IGN)
    return end_process()


async def _serve(settings: Settings) -> None:
    clock, entropy = server_clock(settings, SystemClock()), Entropy()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        loop.add_signal_handler(number, stop.set)
    engine = open_engine(settings, clock, entropy, ends_with_process=True)
    try:
        await claim_store(engine, settings)
        assembly = assemble(engine, settings, clock, entropy)
        server = Server(
            assembly.dispatch, settings.host, settings.port, clock=clock, entropy=entropy
        )
        await _listen(server, settings)
        await assembly.beside.start()
        spare_collector()
        _say_ready(settings, server.port)
        await stop.wait()
        if settings.stop_delay_seconds:
            assembly.leave(server)
            stop.clear()  # being told again ends the delay
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), settings.stop_delay_seconds)
        await assembly.stop(server)
    finally:
        engine.close()


def spare_collector() -> None:
    """Let the search for unreachable cycles look at what comes from now on, and seldom.

    What a request makes is gone with its last reference. Looked for after every 700 new objects,
    which a few dozen requests under way are, cycles cost a tenth of a write.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(limits.collected_objects_min)


async def _listen(server: Server, settings: Settings) -> None:
    try:
        await server.start()
    except OSError as error:
        place = f"{settings.host} port {settings.port}"
        if error.errno == errno.EADDRINUSE:
            raise CannotListen(f"{place} is in use") from error
        raise CannotListen(f"cannot listen on {place}: {error.strerror or error}") from error


def _say_ready(settings: Settings, port: int) -> None:
    """Tell stdout where the server is; it serves all the same if nobody is there to be told."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    kept = f"data in {settings.data}" if settings.data else "nothing kept on disk"
    if settings.database is not None:
        kept = f"data in {settings.database.name} on {settings.database.host}"
    line = f"penstock {__version__} is ready at http://{host}:{port} ({settings.engine}, {kept})\n"
    with contextlib.suppress(OSError):
        # Not through sys.stdout, whose buffer would fail once more at the end of the process.
        os.write(1, os.fsencode(line))


def _refuse(text: str, status: int) -> int:
    line = " ".join(f"penstock: {text}".split())
    with contextlib.suppress(OSError):
        os.write(2, os.fsencode(line + "\n"))
    return status

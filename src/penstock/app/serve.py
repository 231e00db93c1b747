"""`penstock serve`: run the server until SIGTERM or SIGINT, then finish what is in flight."""

import argparse
import asyncio
import errno
import logging
import signal
import sys

import uvloop

from penstock import __version__
from penstock.app.assembly import assemble, claim_store, open_engine
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


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop; return 0 then, and otherwise a status after one line on stderr."""
    try:
        settings = read_settings(vars(arguments), environment())
    except SettingError as error:
        return _refuse(str(error), _BAD_SETTING)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings))
    except EngineError as error:
        return _refuse(str(error), _FAILED)
    except OSError as error:
        return _refuse(_socket_text(settings, error), _FAILED)
    return 0


async def _serve(settings: Settings) -> None:
    clock, entropy = SystemClock(), Entropy()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    engine = open_engine(settings, clock)
    try:
        await claim_store(engine, settings)
        dispatch = assemble(engine, settings, clock, entropy)
        server = Server(dispatch, settings.host, settings.port, clock=clock, entropy=entropy)
        await server.start()
        _say_ready(settings, server.port)
        await stop.wait()
        await server.stop(limits.stop_seconds_max)
    finally:
        engine.close()


def _say_ready(settings: Settings, port: int) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    kept = f"data in {settings.data}" if settings.data else "nothing kept on disk"
    sys.stdout.write(
        f"penstock {__version__} is ready at http://{host}:{port} ({settings.engine}, {kept})\n"
    )
    sys.stdout.flush()


def _socket_text(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {settings.port} of {settings.host} is in use"
    return f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}"


def _refuse(text: str, status: int) -> int:
    sys.stderr.write(f"penstock: {text}\n")
    return status

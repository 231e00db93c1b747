"""AWS's runtime client for Node.js, aws-lambda-ric, compiled once and kept in `.cache`.

npm blocks scripts of packages in newer releases and runs them in older ones; here its two steps are
run by name. Of what they leave, what runs is 0.4 MB.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from clients.build_cache import CACHE, made_once
from clients.node_project import NO_REGISTRY

PACKAGES = {
    "aws-lambda-ric@3.3.0": "9p06TbKVK4a050NY/vYOxhMHvnIiUu5o1W0//q6yNLSqA/c91pn4BOj3C3sRTpplkUNs"
    "GJdU5qWyU2STo6L8hA==",
    "node-addon-api@6.1.0": "+eawOlIgy680F0kBzPUNFhMZGtJ1YmqM6l4+Crf4IkImjYrO/mqPwRMh352g23uIaQKF"
    "ItcQ64I7KMaJxHgAVA==",
}
"""With the SHA-512 of their archives, as npm's locks write it."""

TOOLS = ("node", "npm", "cmake", "autoconf", "automake", "libtoolize", "make", "g++")
FETCH_SECONDS_MAX = 120
BUILD_SECONDS_MAX = 600
ALL_SECONDS_MAX = FETCH_SECONDS_MAX + BUILD_SECONDS_MAX
"""How long the first test that needs it may wait for it."""


def compiled_client() -> Path:
    """Return the directory of the package; skip where it can not be fetched or compiled."""
    for tool in TOOLS:
        if shutil.which(tool) is None:
            pytest.skip(f"aws-lambda-ric has to be compiled, and {tool} is absent")
    return made_once("aws-lambda-ric", [Path(__file__)], "aws-lambda-ric", _make)


def _make(place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="aws-lambda-ric-new-") as fresh:
        folder = Path(fresh)
        _run(["npm", "pack", *PACKAGES], folder, FETCH_SECONDS_MAX)
        client, addon = (_unpacked(folder, *each) for each in PACKAGES.items())
        addon.rename(client / "node_modules" / "node-addon-api")
        for step in ("preinstall", "postinstall"):
            _run(["npm", "run", step], client, BUILD_SECONDS_MAX)
        result = folder / "result"
        result.mkdir()
        for name in ("bin", "dist", "package.json"):
            (client / name).rename(result / name)
        result.rename(place)


def _unpacked(folder: Path, name: str, digest: str) -> Path:
    archive = folder / f"{name.replace('@', '-')}.tgz"
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert found == digest, f"{name} is not what it was"
    goal = folder / name
    with tarfile.open(archive) as packed:
        packed.extractall(goal, filter="data")
    (goal / "package" / "node_modules").mkdir()
    return goal / "package"


def _run(command: list[str], folder: Path, seconds_max: int) -> None:
    environment = {**os.environ, "MAKEFLAGS": "-j2"}
    node = shutil.which("node")
    assert node is not None
    home = Path(node).resolve().parent.parent
    if (home / "include/node/node_api.h").exists():  # otherwise they are fetched
        environment["npm_config_nodedir"] = str(home)
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds_max,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{' '.join(command)} did not end in {seconds_max} s")
    if done.returncode != 0 and (found := NO_REGISTRY.search(done.stdout)):
        pytest.skip(f"npm has no registry to install from: {found[0]}")
    assert done.returncode == 0, done.stdout[-4000:]

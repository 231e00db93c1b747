"""Zip files of code: what is unpacked is what was packed, and nothing leads out of its place."""

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.base import limits
from penstock.functions.archive import (
    ArchiveTooLarge,
    BadArchive,
    EmptyArchive,
    check_archive,
    pack_directory,
    unpack_archive,
)


def packed(*entries: tuple[str, bytes, int]) -> bytes:
    """Return a zip file of names, contents and modes, as Unix has them."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content, mode in entries:
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = mode << 16 | 0x20  # what DOS would set
            archive.writestr(entry, content)
    return made.getvalue()


def link(name: str, target: str) -> tuple[str, bytes, int]:
    return name, target.encode(), stat.S_IFLNK | 0o777


def file(name: str, content: bytes = b"x", mode: int = 0o644) -> tuple[str, bytes, int]:
    return name, content, stat.S_IFREG | mode


def unpacked(data: bytes, tmp_path: Path) -> Path:
    check_archive(data)
    place = tmp_path / "place"
    place.mkdir()
    unpack_archive(data, place)
    return place


def test_contents_and_permissions_are_those_of_the_zip_file(tmp_path: Path) -> None:
    data = packed(
        file("bootstrap", b"#!/bin/sh", 0o755), file("deep/er/data", b"d", 0o600), ("no", b"", 0)
    )
    place = unpacked(data, tmp_path)
    assert (place / "bootstrap").read_bytes() == b"#!/bin/sh"
    assert stat.S_IMODE((place / "bootstrap").stat().st_mode) == 0o755
    assert stat.S_IMODE((place / "deep/er/data").stat().st_mode) == 0o600
    assert stat.S_IMODE((place / "no").stat().st_mode) == 0o644


def test_special_bits_are_dropped(tmp_path: Path) -> None:
    place = unpacked(packed(file("f", mode=0o6755)), tmp_path)
    assert stat.S_IMODE((place / "f").stat().st_mode) == 0o755


def test_links_below_the_directory_are_made(tmp_path: Path) -> None:
    data = packed(file("lib/real", b"r"), link("lib/same", "real"), link("up/there", "../lib/real"))
    place = unpacked(data, tmp_path)
    assert (place / "lib/same").is_symlink()
    assert (place / "up/there").read_bytes() == b"r"


def test_of_two_files_with_one_name_the_later_holds(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = packed(file("f", b"one"), file("f", b"two"))
    assert (unpacked(data, tmp_path) / "f").read_bytes() == b"two"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        packed(file("../f")),
        packed(file("a/../../f")),
        packed(file("/f")),
        packed(file("c:/f")),
        packed(file("a\\f")),
        packed(file("a"), file("a/b")),
        packed(file("a"), ("a/", b"", stat.S_IFDIR | 0o755)),
        packed(file("x" * 256)),
        packed(file("/".join("a" * 600))),
        packed(file(".")),
        packed(link("l", "/etc")),
        packed(link("l", "..")),
        packed(link("a/l", "../..")),
        packed(link("a/l", "b/../..")),
        packed(link("l", "")),
        packed(link("l", "a\\..\\..")),
        packed(link("l", "x" * 2000)),
        packed(link("l", "a"), file("l/f")),
        packed(link("l", "."), link("l/m", "..")),
    ],
    ids=range(21),
)
def test_bad_zip_files_are_refused(data: bytes) -> None:
    with pytest.raises(BadArchive):
        check_archive(data)


def test_a_zip_file_without_entries_is_told_as_such() -> None:
    with pytest.raises(EmptyArchive):
        check_archive(packed())


def test_damage_inside_is_found() -> None:
    data = bytearray(packed(file("f", b"content")))
    at = data.index(b"content")
    data[at] ^= 1
    with pytest.raises(BadArchive):
        check_archive(bytes(data))


def test_encrypted_files_are_refused() -> None:
    data = bytearray(packed(file("f")))
    at = data.index(b"PK\x01\x02") + 8
    data[at : at + 2] = struct.pack("<H", 1)
    with pytest.raises(BadArchive):
        check_archive(bytes(data))


def test_more_than_a_function_may_have_is_refused() -> None:
    made = io.BytesIO()
    archive = zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("zeroes", "w") as zeroes:
        for _ in range(limits.function_unzipped_bytes_max // 2**20 + 1):
            zeroes.write(bytes(2**20))
    with pytest.raises(ArchiveTooLarge):
        check_archive(made.getvalue())


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 200), st.binary(max_size=4))
def test_any_bytes_are_judged_without_another_exception(
    noise: bytes, at: int, patch: bytes
) -> None:
    good = packed(file("app.py", b"content"), link("l", "app.py"))
    for data in (noise, good[:at] + patch + good[at + len(patch) :]):
        try:
            check_archive(data)
        except (BadArchive, EmptyArchive, ArchiveTooLarge):
            continue


def test_a_directory_is_packed_the_same_each_time(tmp_path: Path) -> None:
    place = tmp_path / "code"
    (place / "sub" / "__pycache__").mkdir(parents=True)
    (place / "sub" / "__pycache__" / "x.pyc").write_bytes(b"compiled")
    (place / "sub" / "data").write_bytes(b"d")
    (place / "bootstrap").write_bytes(b"b")
    (place / "bootstrap").chmod(0o755)
    data = pack_directory(place)
    (place / "sub" / "data").touch()
    assert pack_directory(place) == data
    unpack = unpacked(data, tmp_path)
    assert sorted(path.name for path in unpack.rglob("*")) == ["bootstrap", "data", "sub"]
    assert stat.S_IMODE((unpack / "bootstrap").stat().st_mode) == 0o755


def test_links_of_a_directory_are_followed_once(tmp_path: Path) -> None:
    place, shared = tmp_path / "code", tmp_path / "shared"
    place.mkdir()
    shared.mkdir()
    (shared / "lib.py").write_bytes(b"l")
    (place / "lib").symlink_to(shared)
    (place / "itself").symlink_to(place)
    (place / "nothing").symlink_to("nowhere")
    (shared / "back").symlink_to(place)
    unpack = unpacked(pack_directory(place), tmp_path)
    assert [path.relative_to(unpack).as_posix() for path in unpack.rglob("*.py")] == ["lib/lib.py"]

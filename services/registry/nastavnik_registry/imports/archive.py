"""What an archive may hold: few files, at the root, distinct, of bearable size."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from typing import BinaryIO

from nastavnik_registry.imports.findings import Finding, PackageError
from nastavnik_registry.imports.limits import MIB, Limits

BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError)
_END = b"PK\x05\x06"
_END64 = b"PK\x06\x06"


def zip_error(code: str, message: str, hint: str = "") -> PackageError:
    """A failure of the archive: it has no place in a file."""
    return PackageError(Finding(f"zip.{code}", message=message, hint=hint))


def size_of(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)


def open_zip(file: BinaryIO, limits: Limits) -> zipfile.ZipFile:
    size = size_of(file)
    if size > limits.max_compressed:
        message = f"the archive has {size} bytes, at most {limits.max_compressed} are accepted"
        raise zip_error("input_too_large", message)
    _check_directory(file, size, limits)
    try:
        return zipfile.ZipFile(file)
    except (*BROKEN, ValueError, UnicodeDecodeError) as error:
        raise zip_error("invalid_archive", "the file is not a readable zip archive") from error


def _check_directory(file: BinaryIO, size: int, limits: Limits) -> None:
    """Refuse a huge list of entries before zipfile reads it into memory."""
    tail_size = min(size, 22 + 0xFFFF)
    file.seek(size - tail_size)
    tail = file.read(tail_size)
    at = tail.rfind(_END)
    if at < 0 or at + 22 > len(tail):
        message = "expected a zip archive, found an empty file" if not size else "not a zip archive"
        raise zip_error("invalid_archive", message, "Send the .zip itself, completely.")
    count, directory = struct.unpack_from("<HI", tail, at + 10)
    at64 = at - 76  # where zipfile looks: before the locator, which stands before the end record
    if at64 >= 0 and tail.startswith(_END64, at64):
        count, directory = struct.unpack_from("<QQ", tail, at64 + 32)
    if count > limits.max_entries or directory > MIB:
        raise _too_many(count, limits)


def _too_many(count: int, limits: Limits) -> PackageError:
    message = f"the archive lists {count} entries, at most {limits.max_entries} are accepted"
    return zip_error("entry_count_exceeded", message)


def checked_entries(
    archive: zipfile.ZipFile, size: int, limits: Limits
) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > limits.max_entries:
        raise _too_many(len(infos), limits)
    entries: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for info in infos:
        name = info.orig_filename
        _check_name(name)
        if name in entries:
            raise zip_error("entry_duplicate_name", f"two entries are named {shown(name)}")
        _check_method(info)
        check_size(info, info.file_size, limits)
        total += info.file_size
        check_total(total, limits)
        entries[name] = info
    if sum(info.compress_size for info in infos) > size:
        raise zip_error("invalid_archive", "the entries overlap or exceed the archive")
    return entries


def _check_name(name: str) -> None:
    path = name.replace("\\", "/")
    drive = len(path) > 1 and path[1] == ":" and path[0].isascii() and path[0].isalpha()
    for failed, code, kind in (
        (not name, "entry_empty_name", "no name"),
        (path.endswith("/"), "entry_directory", "a folder"),
        (path.startswith("/") or drive, "entry_absolute_path", "an absolute path"),
        (".." in path.split("/"), "entry_path_traversal", "a path that leaves the archive"),
        ("/" in path, "entry_nested_path", "a file in a folder"),
    ):
        if failed:
            message = f"expected files at the root of the archive, found {kind}: {shown(name)}"
            raise zip_error(code, message, "Archive the CSV files themselves, not their folder.")


def _check_method(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 0x41:
        raise zip_error("entry_encrypted", f"the entry {shown(info.filename)} is encrypted")
    if info.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        message = f"the entry {shown(info.filename)} is not compressed by DEFLATE"
        raise zip_error("entry_unsupported_compression", message)


def check_size(info: zipfile.ZipInfo, size: int, limits: Limits) -> None:
    if size > limits.max_entry:
        message = f"the entry {shown(info.filename)} exceeds {limits.max_entry} bytes unpacked"
        raise zip_error("entry_too_large", message)
    if size > limits.ratio_floor and size > limits.max_ratio * info.compress_size:
        message = (
            f"the entry {shown(info.filename)} unpacks to over {limits.max_ratio} times its size"
        )
        raise zip_error("entry_compression_ratio_exceeded", message)


def check_total(total: int, limits: Limits) -> None:
    if total > limits.max_total:
        message = f"the entries exceed {limits.max_total} bytes unpacked"
        raise zip_error("total_uncompressed_size_exceeded", message)


def shown(name: str) -> str:
    """An entry's name, fit for a message."""
    return ascii(name[:80]) if not name.isprintable() else f'"{name[:80]}"'

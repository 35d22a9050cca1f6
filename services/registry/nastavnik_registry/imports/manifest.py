"""manifest.csv: versions, the mode of every file, and whether the archive agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from nastavnik_registry.imports.csvfile import CsvError
from nastavnik_registry.imports.findings import Bucket, Problem
from nastavnik_registry.imports.package import Package
from nastavnik_registry.imports.schema import FILES

MANIFEST = "manifest.csv"
HEADER = ["propertyName", "value"]
MODES = ("absent", "bulk", "delta")
PROPERTIES = {f"file.{file.removesuffix('.csv')}": file for file in FILES}
VERSION, STANDARD = "manifest.version", "oneroster.version"
SOURCE = ("source.systemName", "source.systemCode")

Rows = Iterator[tuple[int, list[str]]]


class Manifest(msgspec.Struct, frozen=True):
    """What the manifest says. `modes` has the files whose mode is known; a file it lacks is in
    doubt and cannot be checked. `readable`: the data files follow the tables of 1.2."""

    modes: dict[str, str] = {}
    versions: dict[str, str] = {}
    system_name: str = ""
    system_code: str = ""
    readable: bool = False


def read_manifest(package: Package, bucket: Bucket) -> Manifest:
    """Read the manifest and record its faults; raises PackageError if the archive breaks."""
    try:
        properties = _properties(package, bucket)
    except CsvError as error:
        bucket.add(error.problem, error.line)
        return Manifest()
    if properties is None:
        return Manifest()
    readable = _check_versions(properties, bucket)
    values = {name: value for name, (_, value) in properties.items()}
    return Manifest(
        modes=_modes(properties, bucket),
        versions={
            name.partition(".")[0]: values[name] for name in (VERSION, STANDARD) if name in values
        },
        system_name=values.get(SOURCE[0], ""),
        system_code=values.get(SOURCE[1], ""),
        readable=readable,
    )


def manifest_of(package: Package) -> Manifest:
    """The manifest of a checked package."""
    return read_manifest(package, Bucket(MANIFEST, 0))


def _properties(package: Package, bucket: Bucket) -> dict[str, tuple[int, str]] | None:
    rows = (
        (line, row)
        for block in package.blocks(MANIFEST)
        for line, row in enumerate(block.rows, block.first)
    )
    _, header = next(rows, (1, None))
    if header is None:
        problem = Problem("manifest.missing_header", "expected a header, found an empty file")
        bucket.add(problem, 1)
        return None
    if header != HEADER:
        message = "expected the header propertyName,value, found another"
        bucket.add(Problem("manifest.invalid_header", message), 1)
    return _collect(rows, bucket)


def _collect(rows: Rows, bucket: Bucket) -> dict[str, tuple[int, str]]:
    properties: dict[str, tuple[int, str]] = {}
    for line, row in rows:
        if len(row) != len(HEADER):
            message = f"expected 2 fields, found {len(row)}"
            bucket.add(Problem("manifest.row_width_mismatch", message), line)
            continue
        name, value = row
        shown = name[:64]
        if name in properties:
            message = "a property is given twice; the first value counts"
            bucket.add(Problem("manifest.duplicate_property", message, value=shown), line)
        else:
            properties[name] = (line, value)
            if name not in PROPERTIES and name not in (VERSION, STANDARD, *SOURCE):
                message = "expected a property of OneRoster 1.2, found another name"
                bucket.add(Problem("manifest.unknown_property", message, value=shown), line)
    return properties


def _check_versions(properties: Mapping[str, tuple[int, str]], bucket: Bucket) -> bool:
    """Whether the data files can be held against the tables of 1.2."""
    line, value = properties.get(VERSION, (0, ""))
    if not line:
        bucket.add(_missing(VERSION))
    elif value != "1.0":
        message = "expected the manifest version 1.0"
        bucket.add(Problem("manifest.invalid_manifest_version", message, value=value[:64]), line)
    line, value = properties.get(STANDARD, (0, ""))
    if not line:
        bucket.add(_missing(STANDARD))
    elif value != "1.2":
        bucket.add(_other_version(value), line)
    return not line or value == "1.2"


def _other_version(value: str) -> Problem:
    hint = "Write 1.2."
    if value == "1.1":
        hint = "Export the package as OneRoster 1.2: roles moved from users.csv to roles.csv."
    elif value.startswith("1.2"):
        hint = "Packages of 1.2.0 and 1.2.1 both say 1.2."
    message = "expected the OneRoster version 1.2, found another"
    return Problem("manifest.invalid_oneroster_version", message, hint, value[:64])


def _modes(properties: Mapping[str, tuple[int, str]], bucket: Bucket) -> dict[str, str]:
    modes: dict[str, str] = {}
    older = properties.get(STANDARD, (0, ""))[1].startswith("1.1")
    for name, file in PROPERTIES.items():
        line, value = properties.get(name, (0, ""))
        if value in MODES:
            modes[file] = value
        elif line:
            message = "expected absent, bulk or delta, found another word"
            bucket.add(Problem("manifest.invalid_file_mode", message, value=name), line)
        elif not older:  # a manifest of 1.1 knows fewer files
            bucket.add(_missing(name))
    return modes


def _missing(name: str) -> Problem:
    return Problem(
        "manifest.missing_property", f"expected the property {name}, found none", value=name
    )


def disagreement(mode: str, present: bool) -> Problem | None:
    """What is wrong between the manifest's `mode` of a file and the archive."""
    if mode == "absent" and present:
        message = "the manifest says absent, but the archive has the file"
        return Problem("manifest.file_unexpected", message, "Say bulk or delta, or drop the file.")
    if mode != "absent" and not present:
        message = f"the manifest says {mode}, but the archive lacks the file"
        return Problem("manifest.file_missing", message, "Add the file, or say absent.")
    return None

"""The checker of OneRoster packages: every code at its place, and nothing else beside it."""

from __future__ import annotations

import io
import json
import random
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from nastavnik_registry.imports import (
    Limits,
    PackageError,
    Report,
    check,
    manifest_of,
    open_package,
)
from nastavnik_registry.imports.columnar import Frames
from nastavnik_registry.imports.csvfile import scan
from tests.registry.packages import ROSTER, Roster, pack, to_csv

DATA = Path(__file__).parent / "data" / "oneroster"
CASES = json.loads((DATA / "cases.json").read_text())


def places(report: Report) -> list[str]:
    assert report.valid == (not report.findings)
    assert report.total >= len(report.findings)
    return [str(finding) for finding in report.findings]


def found(roster: Roster, limits: Limits | None = None) -> list[str]:
    report = check(roster.pack(), limits)
    assert check(roster.pack(), limits, frames=Frames()) == report  # by columns, and row by row
    return places(report)


# The ten samples.


@pytest.mark.parametrize("name", CASES)
def test_sample(name: str) -> None:
    report = check(DATA / f"{name}.zip")
    assert places(report) == CASES[name]["at"]
    assert check(DATA / f"{name}.zip", frames=Frames()) == report


def test_report_of_a_sample() -> None:
    seen: list[tuple[str, int]] = []
    report = check(DATA / "ok-bulk.zip", progress=lambda file, rows: seen.append((file, rows)))
    assert report.valid
    assert report.versions == {"manifest": "1.0", "oneroster": "1.2"}
    assert {file.name: file.rows for file in report.files}["users.csv"] == 60
    assert {file.mode for file in report.files} == {"bulk"}
    assert ("users.csv", 60) in seen
    assert not report.warnings


def test_the_built_roster_is_sound() -> None:
    assert found(Roster()) == []
    assert found(Roster(mode="delta")) == []
    assert found(Roster(tables=[])) == []


# The archive.


def zip_code(source: io.BytesIO | Path, limits: Limits | None = None) -> str:
    report = check(source, limits)
    (only,) = places(report)
    assert only.endswith("@::")
    return only.removesuffix("@::")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("users/", "zip.entry_directory"),
        ("users\\", "zip.entry_directory"),
        ("../", "zip.entry_directory"),
        ("/users.csv", "zip.entry_absolute_path"),
        ("\\users.csv", "zip.entry_absolute_path"),
        ("C:\\users.csv", "zip.entry_absolute_path"),
        ("C:/../users.csv", "zip.entry_absolute_path"),
        ("../users.csv", "zip.entry_path_traversal"),
        ("a\\..\\users.csv", "zip.entry_path_traversal"),
        ("a/users.csv", "zip.entry_nested_path"),
        ("a\\users.csv", "zip.entry_nested_path"),
        ("./users.csv", "zip.entry_nested_path"),
    ],
)
def test_entry_names(name: str, code: str) -> None:
    assert zip_code(pack({name: b"x"})) == code


def test_empty_entry_name() -> None:
    assert zip_code(pack({"": b"x"})) == "zip.entry_empty_name"


def test_duplicate_entry() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        twice = pack([("users.csv", b"a"), ("users.csv", b"b")])
    assert zip_code(twice) == "zip.entry_duplicate_name"


def test_limits() -> None:
    package = Roster().pack()
    size = len(package.getvalue())
    for limits, code in (
        (Limits(max_compressed=size - 1), "zip.input_too_large"),
        (Limits(max_entries=3), "zip.entry_count_exceeded"),
        (Limits(max_entry=300), "zip.entry_too_large"),
        (Limits(max_total=1500), "zip.total_uncompressed_size_exceeded"),
        (Limits(ratio_floor=0, max_ratio=1), "zip.entry_compression_ratio_exceeded"),
    ):
        assert zip_code(package, limits) == code
    assert found(Roster(), Limits(max_compressed=size, max_entries=9)) == []
    assert found(Roster(), Limits(ratio_floor=0, max_ratio=100)) == []
    assert found(Roster(), Limits(ratio_floor=2000, max_ratio=1)) == []


def test_many_entries_are_refused_before_their_list_is_read() -> None:
    many = pack([(f"{number}.csv", b"") for number in range(30_000)])
    tracemalloc.start()
    assert zip_code(many) == "zip.entry_count_exceeded"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_bomb() -> None:
    bomb = Roster()
    bomb.raw["users.csv"] = bytes(64 * 2**20)
    tracemalloc.start()
    assert zip_code(bomb.pack()) == "zip.entry_compression_ratio_exceeded"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 * 2**20  # the archive itself was built outside


def lying(package: io.BytesIO, name: str, size: int) -> io.BytesIO:
    """The archive with another unpacked size declared for an entry."""
    data = bytearray(package.getvalue())
    at = data.rindex(name.encode()) - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    data[at + 24 : at + 28] = size.to_bytes(4, "little")
    return io.BytesIO(bytes(data))


@pytest.mark.parametrize("declared", [10, 10_000])
def test_declared_sizes_are_not_trusted(declared: int) -> None:
    assert zip_code(lying(Roster().pack(), "users.csv", declared)) == "zip.invalid_archive"


def test_overlapping_entries() -> None:
    data = random.Random(1).randbytes(2000)
    package = bytearray(pack([(f"{n}.csv", data) for n in "ab"], zipfile.ZIP_STORED).getvalue())
    first = package.index(b"PK\x01\x02")
    for at in (first, package.index(b"PK\x01\x02", first + 4)):
        package[at + 20 : at + 24] = (4000).to_bytes(4, "little")
    assert zip_code(io.BytesIO(bytes(package))) == "zip.invalid_archive"


def test_damaged_stream() -> None:
    package = bytearray(Roster().pack().getvalue())
    at = package.index(b"users.csv") + len("users.csv") + 20
    package[at] ^= 0xFF
    assert zip_code(io.BytesIO(bytes(package))) == "zip.invalid_archive"


@pytest.mark.parametrize("part", [0.0, 0.3, 0.95, 0.9999])
def test_truncated(part: float) -> None:
    package = Roster().pack().getvalue()
    assert zip_code(io.BytesIO(package[: int(len(package) * part)])) == "zip.invalid_archive"


def test_no_archive(tmp_path: Path) -> None:
    assert zip_code(tmp_path) == "zip.invalid_archive"
    (tmp_path / "users.csv").write_text("sourcedId\n")
    assert zip_code(tmp_path / "users.csv") == "zip.invalid_archive"
    (tmp_path / "empty.zip").touch()
    assert zip_code(tmp_path / "empty.zip") == "zip.invalid_archive"
    with pytest.raises(FileNotFoundError):
        check(tmp_path / "none.zip")


def test_encrypted() -> None:
    package = bytearray(Roster().pack().getvalue())
    package[package.index(b"PK\x01\x02") + 8] |= 1
    assert zip_code(io.BytesIO(bytes(package))) == "zip.entry_encrypted"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression(method: int) -> None:
    assert zip_code(pack(Roster().entries(), method)) == "zip.entry_unsupported_compression"


def test_stored_entries_and_zip64_are_read() -> None:
    assert places(check(pack(Roster().entries(), zipfile.ZIP_STORED))) == []
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in Roster().entries().items():
            with archive.open(name, "w", force_zip64=True) as entry:
                entry.write(data)
    assert places(check(out)) == []


# CSV.


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'u9,,,true,u9,,"A', "csv.unclosed_quote"),
        (b'u9,,,true,u9,,A"B,C\r\n', "csv.unescaped_quote"),
        (b'u9,,,true,u9,,A "B",C\r\n', "csv.unescaped_quote"),
        (b'u9,,,true,u9,,"A"B,C\r\n', "csv.unexpected_character_after_quote"),
        (b'u9,,,true,u9,,"A" ,C\r\n', "csv.unexpected_character_after_quote"),
        (b'u9,,,true,u9,,"A\r\nB",C\r\n', "csv.line_break_in_quoted_field"),
        (b'u9,,,true,u9,,"A\nB",C\n', "csv.line_break_in_quoted_field"),
        (b'u9,,,true,u9,,"A\rB",C\n', "csv.line_break_in_quoted_field"),
        (b"u9,,,true\ru10,,,true\r\n", "csv.bare_carriage_return"),
        (b"u9,,,true\r", "csv.bare_carriage_return"),
        (b"u9,,,true\r\r\n", "csv.bare_carriage_return"),
        (b'u9,,,true,"A"\rx\n', "csv.bare_carriage_return"),
        ("u9,,,true,u9,,Анна".encode("cp1251"), "csv.invalid_utf8"),
        (b"u9,,,true,u9,,\xed\xa0\x80\r\n", "csv.invalid_utf8"),
        (b"u9,,,true,u9,,\0\r\n", "csv.invalid_utf8"),
    ],
)
def test_csv_faults(line: bytes, code: str) -> None:
    roster = Roster()
    roster.raw["users.csv"] = to_csv(roster.files["users"]) + line
    assert found(roster) == [f"{code}@users.csv:5:"]


def test_a_csv_fault_does_not_hide_the_rows_before_it() -> None:
    roster = Roster()
    roster.edit("users", 2, "enabledUser", "yes")
    roster.raw["users.csv"] = to_csv(roster.files["users"]) + b'u9,"'
    assert found(roster) == [
        "row.invalid_boolean@users.csv:2:enabledUser",
        "csv.unclosed_quote@users.csv:5:",
    ]


def test_wrong_encoding_names_the_line_far_into_the_file() -> None:
    roster = Roster()
    for number in range(3000):
        roster.add(
            "users", sourcedId=f"x{number}", enabledUser="true", username="x", givenName="Ё",
            familyName="Ё",
        )  # fmt: skip
    text = to_csv(roster.files["users"])
    at = text.index(b"x2500")
    roster.raw["users.csv"] = text[:at] + "я".encode("cp1251") + text[at:]
    assert found(roster) == ["csv.invalid_utf8@users.csv:2505:"]


def test_cp1251_and_utf16_manifests() -> None:
    for data in ("имя,значение".encode("cp1251"), "propertyName,value".encode("utf-16")):
        roster = Roster()
        roster.raw["manifest.csv"] = data
        assert found(roster) == ["csv.invalid_utf8@manifest.csv:1:"]


def test_long_line() -> None:
    roster = Roster()
    letters = random.Random(1)
    long = "".join(letters.choices("абвгдежзик", k=300_000)).encode()
    roster.raw["users.csv"] = to_csv(roster.files["users"]) + b"u9,,," + long
    assert found(roster, Limits(max_line=100_000)) == ["csv.line_too_long@users.csv:5:"]


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("last", [b"", b"END", b"ENDEND"])
def test_line_ends_bom_and_a_blank_last_line(end: bytes, bom: bytes, last: bytes) -> None:
    roster = Roster()
    for name, data in roster.entries().items():
        body = data.removesuffix(b"\r\n").replace(b"\r\n", end)
        roster.raw[name] = bom + body + last.replace(b"END", end)
    assert found(roster) == []


def test_blank_lines_elsewhere() -> None:
    roster = Roster()
    text = to_csv(roster.files["orgs"])
    roster.raw["orgs.csv"] = text.replace(b"s1,", b"\r\ns1,") + b"\r\n\r\n"
    assert found(roster) == [
        "table.row_width_mismatch@orgs.csv:3:",
        "table.row_width_mismatch@orgs.csv:5:",
    ]


def test_quoting_is_read_as_written() -> None:
    roster = Roster()
    text = to_csv(roster.files["orgs"]).decode()
    roster.raw["orgs.csv"] = text.replace("Управление образования", '"","" """,""').encode()
    with pytest.raises(PackageError), open_package(roster.pack()) as package:
        list(package.rows("orgs.csv"))
    roster.raw["orgs.csv"] = text.replace("Управление образования", '""","" """').encode()
    with open_package(roster.pack()) as package:
        rows = list(package.rows("orgs.csv"))
    assert [(line, row["name"]) for line, row in rows] == [
        (2, '"," "'),
        (3, 'МБОУ "СОШ № 1", корпус 2'),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_any_text_survives_quoting(seed: int) -> None:
    letters = random.Random(seed)
    names = [
        "".join(letters.choices('a",я ;\u2028\x85\t', k=letters.randrange(1, 9))) for _ in range(99)
    ]
    roster = Roster()
    roster.set(
        "orgs",
        [{"sourcedId": f"{n}", "name": name, "type": "school"} for n, name in enumerate(names)],
    )
    with open_package(roster.pack()) as package:
        assert [row["name"] for _, row in package.rows("orgs.csv")] == names


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 1000])
@pytest.mark.parametrize("end", ["", "\r\n", "\r\n\r\n", "\n\n"])
def test_rows_do_not_depend_on_how_the_bytes_arrive(size: int, end: str) -> None:
    text = f'\ufeffa,б\r\n"x, ""y""",\n\n"",""\r\n\r\nz,{end}'.encode()
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    rows: list[list[str]] = []
    for first, block in scan(chunks, 100):
        assert first == len(rows) + 1
        rows += block
    assert rows == [["a", "б"], ['x, "y"', ""], [""], ["", ""], [""], ["z", ""]]


def test_quotes_by_the_thousand_take_no_time() -> None:
    line = b'"' + b'""' * 500_000 + b'"'
    assert [row for block in scan([line], 2**21) for row in block.rows] == [['"' * 500_000]]


# The package and its manifest.


def test_unknown_file() -> None:
    roster = Roster()
    roster.raw |= {"readme.txt": b"x", "USERS.csv.bak": b"x"}
    assert found(roster) == ["package.unknown_file@::"] * 2


def test_name_in_other_letters() -> None:
    roster = Roster(tables=[])
    roster.raw["Users.csv"] = b"x"
    assert found(roster) == ["package.unknown_file@::"]


def test_duplicate_file() -> None:
    roster = Roster()
    roster.raw["Users.CSV"] = b"x"
    assert found(roster) == ["package.duplicate_file@users.csv::"]


def with_manifest(change: Callable[[list[list[str]]], object]) -> Roster:
    roster = Roster()
    rows = roster.manifest()
    change(rows)
    roster.raw["manifest.csv"] = to_csv(rows)
    return roster


@pytest.mark.parametrize(
    ("change", "places"),
    [
        (lambda rows: rows.clear(), ["manifest.missing_header@manifest.csv:1:"]),
        (lambda rows: rows[0].reverse(), ["manifest.invalid_header@manifest.csv:1:"]),
        (lambda rows: rows[0].append("x"), ["manifest.invalid_header@manifest.csv:1:"]),
        (
            lambda rows: rows.append(["source.systemName"]),
            ["manifest.row_width_mismatch@manifest.csv:25:"],
        ),
        (
            lambda rows: rows.append(["file.users", "bulk"]),
            ["manifest.duplicate_property@manifest.csv:25:"],
        ),
        (
            lambda rows: rows.append(["file.pupils", "bulk"]),
            ["manifest.unknown_property@manifest.csv:25:"],
        ),
        (lambda rows: rows.append(["source.systemName", "АИС"]), []),
        (lambda rows: rows.append(["source.systemCode", "1"]), []),
        (lambda rows: rows.pop(1), ["manifest.missing_property@manifest.csv::"]),
        (lambda rows: rows.pop(2), ["manifest.missing_property@manifest.csv::"]),
        (
            lambda rows: rows.remove(["file.users", "bulk"]),
            ["manifest.missing_property@manifest.csv::"],
        ),
        (
            lambda rows: rows.remove(["file.results", "absent"]),
            ["manifest.missing_property@manifest.csv::"],
        ),
        (
            lambda rows: rows[1].__setitem__(1, "1.1"),
            ["manifest.invalid_manifest_version@manifest.csv:2:"],
        ),
        (
            lambda rows: rows[2].__setitem__(1, "1.2.1"),
            ["manifest.invalid_oneroster_version@manifest.csv:3:"],
        ),
        (
            lambda rows: rows[23].__setitem__(1, "Bulk"),
            ["manifest.invalid_file_mode@manifest.csv:24:"],
        ),
    ],
)
def test_manifest(change: Callable[[list[list[str]]], object], places: list[str]) -> None:
    assert found(with_manifest(change)) == places


def test_package_of_1_1_is_recognised() -> None:
    roster = Roster(tables=[])
    later = ("roles", "userProfiles", "scoreScales", "userResources")
    roster.modes = {table: mode for table, mode in roster.modes.items() if table not in later}
    roster.modes["users"] = "bulk"
    roster.properties["oneroster.version"] = "1.1"
    roster.raw["users.csv"] = (
        b"sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role\r\n"
    )
    report = check(roster.pack())
    assert places(report) == ["manifest.invalid_oneroster_version@manifest.csv:3:"]
    assert "1.2" in report.findings[0].hint
    assert report.versions["oneroster"] == "1.1"


def test_manifest_and_archive_disagree() -> None:
    roster = Roster()
    roster.modes["users"] = "absent"
    assert found(roster) == ["manifest.file_unexpected@users.csv::"]
    roster = Roster()
    del roster.files["users"]
    assert found(roster) == ["manifest.file_missing@users.csv::"]


# Headers and tables.


@pytest.mark.parametrize(
    ("change", "places"),
    [
        (
            lambda header: header.__setitem__(slice(3, 5), ["type", "name"]),
            [
                "schema.header_order_mismatch@orgs.csv:1:name",
                "schema.header_order_mismatch@orgs.csv:1:type",
            ],
        ),
        (
            lambda header: header.__setitem__(0, "SourcedId"),
            [
                "schema.header_order_mismatch@orgs.csv:1:sourcedId",
                "schema.missing_header@orgs.csv:1:sourcedId",
            ],
        ),
        (
            lambda header: header.__setitem__(6, "metadata.x"),
            [
                "schema.metadata_column_position@orgs.csv:1:parentSourcedId",
                "schema.missing_header@orgs.csv:1:parentSourcedId",
            ],
        ),
        (lambda header: header.__setitem__(6, ""), ["table.empty_header_name@orgs.csv:1:"]),
        (lambda header: header.__setitem__(6, "name"), ["table.duplicate_header@orgs.csv:1:name"]),
    ],
)
def test_headers(change: Callable[[list[str]], object], places: list[str]) -> None:
    roster = Roster()
    change(roster.files["orgs"][0])
    assert found(roster) == places


def test_missing_last_column() -> None:
    roster = Roster()
    for row in roster.files["demographics"]:
        row.pop()
    assert found(roster) == ["schema.missing_header@demographics.csv:1:publicSchoolResidenceStatus"]


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("metadata.snils", []),
        ("snils", ["schema.invalid_metadata_header@users.csv:1:snils"]),
        ("metadata.", ["schema.invalid_metadata_header@users.csv:1:metadata."]),
        ("Metadata.snils", ["schema.invalid_metadata_header@users.csv:1:Metadata.snils"]),
    ],
)
def test_extension_columns(name: str, places: list[str]) -> None:
    roster = Roster()
    for row in roster.files["users"]:
        row.append("1")
    roster.files["users"][0][-1] = name
    assert found(roster) == places


def test_header_of_1_2_0_is_accepted() -> None:
    roster = Roster()
    at = roster.files["users"][0].index("userMasterIdentifier") + 1
    for row in roster.files["users"]:
        row.insert(at, "")
    roster.files["users"][0][at] = "resourceSourcedIds"
    report = check(roster.pack())
    assert places(report) == []
    assert report.versions["users.csv"] == "1.2.0"
    assert [warning.code for warning in report.warnings] == ["warning.older_columns"]
    roster.files["users"][1][at] = "a,,b"
    assert found(roster) == ["row.invalid_list@users.csv:2:resourceSourcedIds"]


def test_users_without_roles_are_a_warning() -> None:
    roster = Roster()
    roster.drop("roles")
    report = check(roster.pack())
    assert report.valid
    assert [warning.code for warning in report.warnings] == ["warning.users_without_roles"]
    assert not check(Roster(tables=["users"], mode="delta").pack()).warnings


def test_empty_tables() -> None:
    roster = Roster()
    roster.raw |= {"demographics.csv": b"", "enrollments.csv": b"\r\n"}
    assert found(roster) == [
        "table.missing_header@demographics.csv:1:",
        "table.missing_header@enrollments.csv:1:",
    ]
    roster = Roster()
    roster.set("demographics", [])
    assert found(roster) == ["table.missing_data_rows@demographics.csv::"]


@pytest.mark.parametrize("change", [lambda row: row.pop(), lambda row: row.append("")])
def test_row_width(change: Callable[[list[str]], object]) -> None:
    roster = Roster()
    change(roster.files["users"][2])
    assert found(roster) == ["table.row_width_mismatch@users.csv:3:"]


# Values.


@pytest.mark.parametrize(
    ("table", "line", "column", "value", "code"),
    [
        ("users", 2, "status", "active", "row.field_forbidden_in_bulk"),
        ("users", 3, "dateLastModified", "2026-10-01T10:00:00.000Z", "row.field_forbidden_in_bulk"),
        ("users", 3, "enabledUser", "", "row.missing_required_value"),
        ("users", 3, "enabledUser", "True", "row.invalid_boolean"),
        ("users", 3, "enabledUser", "1", "row.invalid_boolean"),
        ("users", 3, "username", "", "row.missing_required_value"),
        ("users", 3, "givenName", "", "row.missing_required_value"),
        ("users", 3, "familyName", "", "row.missing_required_value"),
        ("users", 3, "userIds", "SNILS:1", "row.invalid_list"),
        ("users", 3, "userIds", "{SNILS}", "row.invalid_list"),
        ("users", 3, "userIds", "{SNILS:}", "row.invalid_list"),
        ("users", 3, "userIds", "{SNILS:1},", "row.invalid_list"),
        ("users", 3, "userIds", "{URN:urn:x:1}", None),
        ("users", 3, "grades", "9,,10", "row.invalid_list"),
        ("users", 3, "grades", "9, ", "row.invalid_list"),
        ("users", 3, "agentSourcedIds", "u1, u3", "row.invalid_guid"),
        ("users", 3, "agentSourcedIds", "u1,", "row.invalid_list"),
        ("users", 3, "agentSourcedIds", "u1,u8", "reference.missing_target_record"),
        ("users", 3, "primaryOrgSourcedId", "s 1", "row.invalid_guid"),
        ("users", 3, "primaryOrgSourcedId", "s8", "reference.missing_target_record"),
        ("users", 3, "email", "x" * 300, None),
        ("academicSessions", 2, "title", "", "row.missing_required_value"),
        ("academicSessions", 3, "type", "quarter", "row.invalid_enum"),
        ("academicSessions", 3, "type", "ext:quarter", None),
        ("academicSessions", 2, "startDate", "", "row.missing_required_value"),
        ("academicSessions", 2, "startDate", "01.09.2026", "row.invalid_date"),
        ("academicSessions", 2, "startDate", "20260901", "row.invalid_date"),
        ("academicSessions", 2, "startDate", "2026-02-29", "row.invalid_date"),
        ("academicSessions", 2, "startDate", "2028-02-29", "semantic.end_before_begin@endDate"),
        ("academicSessions", 2, "endDate", "2026-08-31", "semantic.end_before_begin"),
        ("academicSessions", 2, "endDate", "2027-06-31", "row.invalid_date"),
        ("academicSessions", 2, "schoolYear", "26", "row.invalid_year"),
        ("academicSessions", 2, "schoolYear", "2026/27", "row.invalid_year"),
        ("academicSessions", 2, "schoolYear", "٢٠٢٧", "row.invalid_year"),
        ("academicSessions", 3, "parentSourcedId", "y28", "reference.missing_target_record"),
        ("academicSessions", 2, "parentSourcedId", "t1", None),
        ("orgs", 3, "name", "", "row.missing_required_value"),
        ("orgs", 3, "type", "School", "row.invalid_enum"),
        ("orgs", 3, "type", "ext:lyceum", None),
        ("orgs", 3, "parentSourcedId", "d8", "reference.missing_target_record"),
        ("courses", 2, "schoolYearSourcedId", "y28", "reference.missing_target_record"),
        ("courses", 2, "orgSourcedId", "s8", "reference.missing_target_record"),
        ("courses", 2, "orgSourcedId", "", "row.missing_required_value"),
        ("courses", 2, "subjectCodes", "A", "semantic.subject_codes_length"),
        ("courses", 2, "subjectCodes", "", None),
        ("classes", 2, "subjectCodes", "A,B,C", "semantic.subject_codes_length"),
        ("classes", 2, "subjects", "", None),
        ("classes", 2, "classType", "lesson", "row.invalid_enum"),
        ("classes", 2, "classType", "ext:lesson", None),
        ("classes", 2, "courseSourcedId", "c8", "reference.missing_target_record"),
        ("classes", 2, "schoolSourcedId", "s8", "reference.missing_target_record"),
        ("classes", 2, "schoolSourcedId", "d1", "semantic.wrong_org_type"),
        ("classes", 2, "termSourcedIds", "", "row.missing_required_value"),
        ("classes", 2, "termSourcedIds", "t1,t8", "reference.missing_target_record"),
        ("classes", 2, "termSourcedIds", "t1,,y27", "row.invalid_list"),
        ("classes", 2, "termSourcedIds", "t1;y27", "row.invalid_guid"),
        ("roles", 2, "roleType", "main", "row.invalid_enum"),
        ("roles", 2, "roleType", "ext:primary", "row.invalid_enum"),
        ("roles", 3, "role", "mentor", "row.invalid_enum"),
        ("roles", 3, "role", "ext:", "row.invalid_enum"),
        ("roles", 3, "role", "ext:наставник", "row.invalid_enum"),
        ("roles", 3, "role", " teacher", "row.invalid_enum"),
        ("roles", 3, "endDate", "2026-08-31", "semantic.end_before_begin"),
        ("roles", 3, "endDate", "2026-8-31", "row.invalid_date"),
        ("roles", 3, "userSourcedId", "u8", "reference.missing_target_record"),
        ("roles", 3, "orgSourcedId", "s8", "reference.missing_target_record"),
        ("roles", 3, "roleType", "primary", "semantic.primary_role_conflict"),
        ("roles", 3, "userProfileSourcedId", "p1", "reference.missing_target_file"),
        ("roles", 3, "userProfileSourcedId", "p 1", "row.invalid_guid"),
        ("enrollments", 2, "role", "aide", "row.invalid_enum"),
        ("enrollments", 2, "role", "ext:mentor", None),
        ("enrollments", 2, "primary", "yes", "row.invalid_boolean"),
        ("enrollments", 2, "classSourcedId", "k8", "reference.missing_target_record"),
        ("enrollments", 2, "schoolSourcedId", "s8", "reference.missing_target_record"),
        ("enrollments", 2, "schoolSourcedId", "d1", "semantic.wrong_org_type"),
        ("enrollments", 2, "userSourcedId", "u8", "reference.missing_target_record"),
        ("enrollments", 2, "userSourcedId", "", "row.missing_required_value"),
        ("demographics", 2, "sourcedId", "u8", "reference.missing_target_record"),
        ("demographics", 2, "sex", "f", "row.invalid_enum"),
        ("demographics", 2, "sex", "ext:f", None),
        ("demographics", 2, "birthDate", "2010-13-01", "row.invalid_date"),
        ("demographics", 2, "asian", "no", "row.invalid_boolean"),
    ],
)
def test_values(table: str, line: int, column: str, value: str, code: str | None) -> None:
    roster = Roster()
    roster.edit(table, line, column, value)
    name, _, elsewhere = (code or "").partition("@")
    expected = [f"{name}@{table}.csv:{line}:{elsewhere or column}"] if code else []
    assert found(roster) == expected


REQUIRED = {
    "academicSessions": "title type startDate endDate schoolYear",
    "orgs": "name type",
    "courses": "title orgSourcedId",
    "classes": "title courseSourcedId classType schoolSourcedId termSourcedIds",
    "users": "enabledUser username givenName familyName",
    "roles": "userSourcedId roleType role orgSourcedId",
    "enrollments": "classSourcedId schoolSourcedId userSourcedId role",
    "demographics": "",
    "userProfiles": "userSourcedId profileType vendorId credentialType username",
}
PROFILE = {
    "sourcedId": "p1",
    "userSourcedId": "u1",
    "profileType": "LMS",
    "vendorId": "v",
    "credentialType": "OAUTH",
    "username": "anna",
}


@pytest.mark.parametrize("table", REQUIRED)
def test_required_columns(table: str) -> None:
    spoilt = Roster()
    spoilt.set("userProfiles", [PROFILE], "bulk")
    required = REQUIRED[table].split()
    for column in spoilt.files[table][0][3:]:
        spoilt.edit(table, 2, column, "")
    assert found(spoilt) == [
        f"row.missing_required_value@{table}.csv:2:{column}" for column in required
    ]


def test_user_profiles() -> None:
    roster = Roster()
    roster.set("userProfiles", [PROFILE, PROFILE | {"sourcedId": "p2"}], "bulk")
    roster.edit("roles", 2, "userProfileSourcedId", "p2")
    assert found(roster) == []
    roster.edit("roles", 2, "userProfileSourcedId", "p3")
    roster.edit("userProfiles", 2, "userSourcedId", "u8")
    assert found(roster) == [
        "reference.missing_target_record@roles.csv:2:userProfileSourcedId",
        "reference.missing_target_record@userProfiles.csv:2:userSourcedId",
    ]


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [
        ("academicSessions", "type", "gradingPeriod semester schoolYear term"),
        ("orgs", "type", "department school district local state national"),
        ("classes", "classType", "homeroom scheduled"),
        (
            "roles",
            "role",
            "aide counselor districtAdministrator guardian parent principal proctor relative"
            " siteAdministrator student systemAdministrator teacher",
        ),
        ("enrollments", "role", "administrator proctor student teacher"),
        ("demographics", "sex", "male female unspecified other"),
        ("demographics", "white", "true false"),
    ],
)
def test_vocabularies(table: str, column: str, words: str) -> None:
    for word in words.split():
        roster = Roster()
        roster.edit(table, 2, column, word)
        assert found(roster) == []


@pytest.mark.parametrize("value", ["u/1", "a.b-c_d@E", "9" * 255])
def test_good_guids(value: str) -> None:
    roster = Roster(tables=["users"])
    roster.edit("users", 3, "primaryOrgSourcedId", "")
    roster.add(
        "users", sourcedId=value, enabledUser="true", username="u", givenName="A", familyName="B"
    )
    assert found(roster) == []


@pytest.mark.parametrize("value", ["9" * 256, "u 9", "ю9", "u9\t", "{u9}", "u:9", "u9,"])
def test_bad_guids(value: str) -> None:
    roster = Roster()
    roster.add(
        "users", sourcedId=value, enabledUser="true", username="u", givenName="A", familyName="B"
    )
    assert found(roster) == ["row.invalid_guid@users.csv:5:sourcedId"]


def test_blank_sourced_id() -> None:
    roster = Roster()
    roster.edit("enrollments", 2, "sourcedId", "")
    assert found(roster) == ["row.missing_required_value@enrollments.csv:2:sourcedId"]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("status", "", "row.field_required_in_delta"),
        ("dateLastModified", "", "row.field_required_in_delta"),
        ("status", "inactive", "row.invalid_enum"),
        ("status", "ext:gone", "row.invalid_enum"),
        ("status", "Active", "row.invalid_enum"),
        ("status", "tobedeleted", None),
        ("dateLastModified", "2026-10-01T10:00:00Z", None),
        ("dateLastModified", "2026-10-01T10:00:00.5Z", None),
        ("dateLastModified", "2026-10-01", "row.invalid_datetime"),
        ("dateLastModified", "2026-10-01 10:00:00Z", "row.invalid_datetime"),
        ("dateLastModified", "2026-10-01T10:00:00", "row.invalid_datetime"),
        ("dateLastModified", "2026-10-01T10:00:00+03:00", "row.invalid_datetime"),
        ("dateLastModified", "2026-10-01T25:00:00Z", "row.invalid_datetime"),
        ("dateLastModified", "2026-09-31T10:00:00.000Z", "row.invalid_datetime"),
    ],
)
def test_delta(column: str, value: str, code: str | None) -> None:
    roster = Roster(tables=["users"], mode="delta")
    roster.edit("users", 3, column, value)
    assert found(roster) == ([f"{code}@users.csv:3:{column}"] if code else [])


# References and rows beside each other.


def test_delta_references_are_not_judged() -> None:
    roster = Roster(tables=["roles", "users"], mode="delta")
    roster.edit("roles", 2, "userSourcedId", "u8")
    roster.edit("users", 2, "agentSourcedIds", "u8")
    assert found(roster) == []
    roster.edit("users", 2, "agentSourcedIds", "u 8")
    assert found(roster) == ["row.invalid_guid@users.csv:2:agentSourcedIds"]


def test_bulk_references_to_a_delta_file_are_not_judged() -> None:
    roster = Roster()
    roster.modes["users"] = "delta"
    for line in (2, 3, 4):
        roster.edit("users", line, "status", "active")
        roster.edit("users", line, "dateLastModified", "2026-10-01T10:00:00.000Z")
    roster.edit("roles", 2, "userSourcedId", "u8")
    assert found(roster) == []


def test_missing_target_file() -> None:
    roster = Roster()
    for table in ("courses", "orgs", "demographics", "enrollments", "roles", "users"):
        roster.drop(table)
    assert found(roster) == [
        "reference.missing_target_file@classes.csv:2:courseSourcedId",
        "reference.missing_target_file@classes.csv:2:schoolSourcedId",
    ]


def test_duplicates_within_and_across_blocks() -> None:
    roster = Roster()
    for number in range(5000):
        roster.add("demographics", sourcedId="u2" if number in (0, 4000) else f"x{number}")
    for row in roster.files["demographics"][2:]:
        if row[0].startswith("x"):
            roster.add(
                "users", sourcedId=row[0], enabledUser="true", username="x", givenName="A",
                familyName="B",
            )  # fmt: skip
    roster.add("demographics", sourcedId="u1")
    assert found(roster) == [
        "reference.duplicate_sourced_id@demographics.csv:4003:sourcedId",
        "reference.duplicate_sourced_id@demographics.csv:5003:sourcedId",
    ]


def test_ids_are_unique_by_file_only() -> None:
    roster = Roster()
    roster.edit("enrollments", 2, "sourcedId", "u1")
    assert found(roster) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda roster: roster.edit("users", 4, "sourcedId", "u 3"),
        lambda roster: roster.files["users"][3].pop(),
        lambda roster: roster.files["users"][0].__setitem__(4, "login"),
        lambda roster: roster.raw.__setitem__("users.csv", b'"'),
        lambda roster: roster.raw.__setitem__("users.csv", b""),
        lambda roster: roster.modes.__setitem__("users", "full"),
    ],
)
def test_an_unreadable_file_is_not_blamed_on_those_who_refer_to_it(
    spoil: Callable[[Roster], object],
) -> None:
    roster = Roster()
    roster.add(
        "roles", sourcedId="r9", userSourcedId="u3", roleType="primary", role="student",
        orgSourcedId="s1",
    )  # fmt: skip
    spoil(roster)
    assert not [place for place in found(roster) if "reference." in place or "roles.csv" in place]


def test_an_org_of_faulty_type_is_not_blamed_on_classes() -> None:
    roster = Roster()
    roster.edit("orgs", 3, "type", "School")
    assert found(roster) == ["row.invalid_enum@orgs.csv:3:type"]


def test_primary_roles() -> None:
    primary = {
        "userSourcedId": "u1",
        "roleType": "primary",
        "role": "student",
        "orgSourcedId": "s1",
    }
    roster = Roster()
    roster.set("roles", [primary | {"sourcedId": f"r{n}"} for n in range(3)])
    roster.edit("roles", 3, "orgSourcedId", "d1")
    assert found(roster) == ["semantic.primary_role_conflict@roles.csv:4:roleType"]
    delta = Roster(tables=["roles"], mode="delta")
    for line in (2, 3):
        delta.edit("roles", line, "roleType", "primary")
    assert found(delta) == ["semantic.primary_role_conflict@roles.csv:3:roleType"]
    delta.edit("roles", 2, "status", "tobedeleted")
    assert found(delta) == []


def test_dates_and_keys_that_are_none_are_not_compared() -> None:
    roster = Roster()
    roster.edit("roles", 3, "beginDate", "2026-9-1")
    assert found(roster) == ["row.invalid_date@roles.csv:3:beginDate"]
    roster = Roster()
    roster.edit("roles", 3, "endDate", "2026-08-32")
    assert found(roster) == ["row.invalid_date@roles.csv:3:endDate"]
    roster = Roster()
    roster.edit("roles", 3, "roleType", "primary")
    for line in (2, 3):
        roster.edit("roles", line, "orgSourcedId", "s 1")
    assert found(roster) == [f"row.invalid_guid@roles.csv:{line}:orgSourcedId" for line in (2, 3)]


def test_types_of_orgs_are_not_judged_in_a_delta() -> None:
    roster = Roster(tables=["orgs", "classes"], mode="delta")
    roster.edit("classes", 2, "schoolSourcedId", "d1")
    assert found(roster) == []


def test_lists_of_references_to_an_unreadable_file() -> None:
    roster = Roster()
    roster.edit("academicSessions", 3, "sourcedId", "t 1")
    assert found(roster) == ["row.invalid_guid@academicSessions.csv:3:sourcedId"]


# Gradebook and resources.


@pytest.mark.parametrize(
    ("weight", "places"),
    [
        ("40", []),
        ("", []),
        ("4.5", ["row.invalid_integer@categories.csv:2:weight"]),
        ("много", ["row.invalid_integer@categories.csv:2:weight"]),
    ],
)
def test_integers(weight: str, places: list[str]) -> None:
    roster = Roster(tables=[])
    roster.set("categories", [{"sourcedId": "1", "title": "Тест", "weight": weight}], "bulk")
    assert found(roster) == places


@pytest.mark.parametrize(
    ("score", "code"),
    [
        ("4.5", ""),
        ("5", ""),
        ("-1e2", ""),
        ("4,5", "row.invalid_float"),
        ("NaN", "row.invalid_float"),
    ],
)
def test_floats(score: str, code: str) -> None:
    roster = Roster(tables=[])
    row = {"sourcedId": "1", "resultSourcedId": "r", "source": "case", "learningObjectiveId": "x"}
    table = "resultLearningObjectiveIds"
    roster.set(table, [row | {"score": score}], "bulk")
    roster.modes[table] = "bulk"
    expected = [f"reference.missing_target_file@{table}.csv:2:resultSourcedId"]
    assert found(roster) == expected + ([f"{code}@{table}.csv:2:score"] if code else [])


def test_common_rules_hold_outside_rostering() -> None:
    roster = Roster()
    rows = [{"sourcedId": "x 1", "status": "active", "vendorResourceId": "v", "roles": "pupil"}]
    roster.set("resources", [*rows, {"sourcedId": "x2", "vendorResourceId": "v"}], "bulk")
    roster.set("classResources", [], "bulk")
    roster.set(
        "courseResources",
        [{"sourcedId": "1", "courseSourcedId": "c8", "resourceSourcedId": "x2"}],
        "bulk",
    )
    assert found(roster) == [
        "table.missing_data_rows@classResources.csv::",
        "reference.missing_target_record@courseResources.csv:2:courseSourcedId",
        "row.invalid_guid@resources.csv:2:sourcedId",
        "row.field_forbidden_in_bulk@resources.csv:2:status",
        "row.invalid_enum@resources.csv:2:roles",
    ]


# The report.


def test_order_and_bounds_of_the_report() -> None:
    roster = Roster()
    for number in range(4000):
        roster.add(
            "users",
            sourcedId=f"x{number}",
            enabledUser="да",
            username="",
            givenName="A",
            familyName="B",
        )
    roster.edit("classes", 2, "classType", "x")
    roster.properties["manifest.version"] = "2"
    report = check(roster.pack(), Limits(max_findings=5))
    assert places(report) == [
        "manifest.invalid_manifest_version@manifest.csv:2:",
        "row.invalid_enum@classes.csv:2:classType",
        "row.invalid_boolean@users.csv:5:enabledUser",
        "row.missing_required_value@users.csv:5:username",
        "row.invalid_boolean@users.csv:6:enabledUser",
    ]
    assert report.total == 8002
    assert places(check(roster.pack(), Limits(max_findings=10_000)))[:5] == places(report)
    none = check(roster.pack(), Limits(max_findings=0))
    assert (none.valid, none.findings, none.total) == (False, (), 8002)


def test_no_personal_values_in_a_report() -> None:
    secret = "Тайный"
    columns = [(table, name) for table, rows in Roster().files.items() for name in rows[0]]
    for table, column in columns:
        roster = Roster()
        roster.edit(table, 2, column, f"{secret}, {secret} ")
        text = msgspec.json.encode(check(roster.pack())).decode()
        assert secret not in text, (table, column)
    roster = Roster()
    roster.raw["users.csv"] = to_csv([[secret, secret, "x@y.test", *("a" * 20)]] * 2)
    text = msgspec.json.encode(check(roster.pack())).decode()
    assert secret not in text
    assert "x@y.test" not in text


def test_every_finding_says_what_was_expected() -> None:
    roster = Roster()
    roster.edit("roles", 3, "role", "mentor")
    roster.edit("roles", 2, "role", "Student")
    first, second = check(roster.pack()).findings
    assert first.hint == "Write student."
    assert "ext:mentor" in second.hint
    assert "teacher" in second.message


# Reading a clean package.


def test_rows_of_a_package() -> None:
    with open_package(Roster().pack()) as package:
        manifest = manifest_of(package)
        assert manifest.modes["users.csv"] == "bulk"
        rows = list(package.rows("users.csv"))
        assert [line for line, _ in rows] == [2, 3, 4]
        assert rows[0][1]["agentSourcedIds"] == "u2,u3"
        assert list(rows[0][1])[:4] == ["sourcedId", "status", "dateLastModified", "enabledUser"]
        assert len(list(package.rows("users.csv"))) == len(ROSTER["users"])
        with pytest.raises(KeyError):
            next(package.rows("results.csv"))


def test_rows_fail_as_the_check_does() -> None:
    roster = Roster()
    roster.raw["users.csv"] = to_csv(roster.files["users"]) + b'"'
    with open_package(roster.pack()) as package:
        rows = package.rows("users.csv")
        assert [next(rows)[0] for _ in range(3)] == [2, 3, 4]
        with pytest.raises(PackageError) as failure:
            next(rows)
    assert str(failure.value.finding) == "csv.unclosed_quote@users.csv:5:"
    with pytest.raises(PackageError) as failure:
        open_package(pack({"a/b": b""}))
    assert str(failure.value.finding) == "zip.entry_nested_path@::"

"""A strict scanner of OneRoster CSV: RFC 4180 without line breaks in fields, UTF-8, BOM tolerated.

Since no field holds a line break, a row is a line: `line = first + index in the block`. Lines
without a quote take the fast path `str.split`; only a faulty line is ever walked by character.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nastavnik_registry.imports.findings import Problem

BOM = b"\xef\xbb\xbf"
HINTS = {
    "csv.invalid_utf8": "Save the file as UTF-8 (not Windows-1251 or UTF-16).",
    "csv.unclosed_quote": "Close the field with a quote; double a quote that belongs to the text.",
    "csv.unescaped_quote": 'Enclose the field in quotes and double those inside: "МБОУ ""Лицей""".',
    "csv.unexpected_character_after_quote": "After a closing quote only a comma or the line's end.",
    "csv.line_break_in_quoted_field": "OneRoster forbids line breaks in a field; use a space.",
    "csv.bare_carriage_return": "End lines with CRLF or LF.",
    "csv.line_too_long": "Check that lines end with CRLF or LF.",
}


class CsvError(Exception):
    """The file cannot be read beyond `line`."""

    def __init__(self, code: str, line: int, message: str) -> None:
        super().__init__(f"{code} in line {line}: {message}")
        self.problem = Problem(code, message, HINTS[code])
        self.line = line


class Block(NamedTuple):
    """Consecutive rows; the row `rows[i]` is line `first + i` of the file."""

    first: int
    rows: list[list[str]]


def scan(chunks: Iterable[bytes], max_line: int) -> Iterator[Block]:
    """The rows of a file, header included; one blank line at the very end is ignored.

    Raises CsvError at the first fault, after yielding all rows before it.
    """
    line = 1
    for piece in whole_lines(chunks, max_line):
        for block in parse(piece, line):
            yield block
            line = block.first + len(block.rows)


def whole_lines(chunks: Iterable[bytes], max_line: int) -> Iterator[bytes]:
    """Pieces that end at line ends, save perhaps the last."""
    carry, done = b"", 0
    for number, chunk in enumerate(_without_bom(chunks)):
        buffer = carry + chunk if number else chunk
        cut = _last_cut(buffer)
        if cut:
            yield buffer[:cut]
            done += buffer.count(b"\n", 0, cut)
        carry = buffer[cut:]
        if len(carry) > max_line:
            message = f"a line is longer than {max_line} bytes"
            raise CsvError("csv.line_too_long", done + 1, message)
    if carry and carry not in (b"\n", b"\r\n"):
        yield carry


def _without_bom(chunks: Iterable[bytes]) -> Iterator[bytes]:
    head = b""
    started = False
    for chunk in chunks:
        if started:
            yield chunk
            continue
        head += chunk
        if len(head) >= len(BOM):
            started = True
            yield head.removeprefix(BOM)
    if not started:
        yield head.removeprefix(BOM)


def _last_cut(buffer: bytes) -> int:
    """Where to cut: after the last line end, but before a blank line that may be the last one."""
    cut = buffer.rfind(b"\n") + 1
    for blank in (b"\r\n", b"\n"):
        start = cut - len(blank)
        if (
            cut
            and buffer.endswith(blank, 0, cut)
            and (not start or buffer[start - 1 : start] == b"\n")
        ):
            return start if cut == len(buffer) else cut
    return cut


def parse(piece: bytes, first: int) -> Iterator[Block]:
    try:
        text = piece.decode()
    except UnicodeDecodeError as error:
        yield from _until(piece, error.start, first, "bytes that are not UTF-8")
    else:
        if "\0" in text:
            yield from _until(piece, piece.index(0), first, "a NUL byte")
        yield from _rows(text, first)


def _until(piece: bytes, fault: int, first: int, found: str) -> Iterator[Block]:
    """The lines before a byte that is no text, and the failure."""
    good = piece[: piece.rfind(b"\n", 0, fault) + 1]
    if good:
        yield from parse(good, first)
    line = first + good.count(b"\n")
    raise CsvError("csv.invalid_utf8", line, f"expected UTF-8 text, found {found}")


def _rows(text: str, first: int) -> Iterator[Block]:
    ended = text.endswith("\n")
    text = text.replace("\r\n", "\n")
    lines = text[:-1].split("\n") if ended else text.split("\n")
    if '"' not in text and "\r" not in text:
        yield Block(first, [line.split(",") for line in lines])
        return
    rows: list[list[str]] = []
    for index, line in enumerate(lines):
        row = _split(line)
        if row is None:
            if rows:
                yield Block(first, rows)
            raise _diagnose(line, first + index, ended or index < len(lines) - 1)
        rows.append(row)
    yield Block(first, rows)


def _split(line: str) -> list[str] | None:
    """The fields of one line; None if it is faulty."""
    if "\r" in line:
        return None
    if '"' not in line:
        return line.split(",")
    parts = line.split('"')  # outside, inside, outside, inside, …, outside
    last = len(parts) - 1
    row = parts[0].split(",")
    if last % 2 or row[-1]:
        return None
    at = 1
    while at < last:
        row[-1], at = _quoted(parts, at)
        after = parts[at]
        at += 1
        if after:
            tail = after.split(",")
            if tail[0] or (at < last and tail[-1]):
                return None
            row += tail[1:]
    return row


def _quoted(parts: list[str], at: int) -> tuple[str, int]:
    """The field that opens before `parts[at]`, and where the text after it stands."""
    end = at + 1
    while not parts[end] and end + 1 < len(parts):  # a doubled quote
        end += 2
    return '"'.join(parts[at:end:2]), end


def _diagnose(line: str, number: int, ended: bool) -> CsvError:
    """Why `_split` refused a line; `ended` says whether a line end follows it."""
    state = "start"
    for column, char in enumerate(line, 1):
        code = _fault(state, char)
        if code == "csv.unexpected_character_after_quote" and char == '"':
            state = "quoted"  # it was a doubled quote
        elif code:
            return CsvError(code, number, f"the line breaks the rules at its character {column}")
        else:
            state = _next(state, char)
    if ended:
        message = "a line ends inside a quoted field"
        return CsvError("csv.line_break_in_quoted_field", number, message)
    return CsvError("csv.unclosed_quote", number, "the file ends inside a quoted field")


def _fault(state: str, char: str) -> str:
    if char == "\r":
        quoted = state == "quoted"
        return "csv.line_break_in_quoted_field" if quoted else "csv.bare_carriage_return"
    if state == "closed" and char != ",":
        return "csv.unexpected_character_after_quote"
    return "csv.unescaped_quote" if state == "plain" and char == '"' else ""


def _next(state: str, char: str) -> str:
    if state == "quoted":
        return "closed" if char == '"' else "quoted"
    if char == ",":
        return "start"
    return "quoted" if char == '"' and state == "start" else "plain"

"""CSV as it comes: any Cyrillic encoding, any of the usual delimiters."""

import codecs
import csv
import io

from charset_normalizer import from_bytes

from nastavnik_common.sheets.findings import SheetError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PAGES = ["cp1251", "cp866", "koi8_r", "mac_cyrillic"]
_DELIMITERS = ";\t,|"
_SAMPLE_LINES = 60
_FIELD_LIMIT = 1_000_000


def decode(data: bytes) -> str:
    """Raises SheetError ``file.encoding``, or ``file.format`` for what is no text."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strictly(data, encoding)
    if b"\0" in data[:4096]:
        return _strictly(data, _endless(data))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        best = from_bytes(data, cp_isolation=_PAGES, language_threshold=0).best()
        if best is None:
            raise SheetError("file.encoding") from None
        return str(best)


def parse(text: str) -> list[list[str]]:
    """Rows of cells. The first line of Excel's own, ``sep=;``, says the delimiter; it stays a row,
    so that rows keep their numbers."""
    first = text.partition("\n")[0].strip()
    delimiter = first[4] if first.lower().startswith("sep=") and len(first) == 5 else None
    csv.field_size_limit(_FIELD_LIMIT)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or guess(text)))
    except csv.Error:
        raise SheetError("file.broken") from None
    if delimiter:
        rows[0] = []
    return rows


def guess(text: str) -> str:
    """The delimiter by which most of the first lines fall into several cells, and as many each."""
    lines = list(io.StringIO(text, newline=""))[:_SAMPLE_LINES]
    return max(_DELIMITERS, key=lambda delimiter: _fit(lines, delimiter))


def _fit(lines: list[str], delimiter: str) -> tuple[int, int]:
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if len(row) > 1]
    except csv.Error:
        return (0, 0)
    if not widths:
        return (0, 0)
    common = max(set(widths), key=lambda width: (widths.count(width), width))
    return (widths.count(common), common)


def _endless(data: bytes) -> str:
    """UTF-16 without a mark: spaces, digits and line ends have their zero byte first or last."""
    even, odd = data[:4096:2].count(0), data[1:4096:2].count(0)
    return "utf-16-be" if even > odd else "utf-16-le"


def _strictly(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise SheetError("file.encoding") from None
    if "\0" in text:
        raise SheetError("file.format")
    return text

"""Figures as files for spreadsheets: rows in Russian, as CSV and XLSX."""

from nastavnik_metrics.exports.csvfile import CsvFile
from nastavnik_metrics.exports.rows import Row, row
from nastavnik_metrics.exports.sheet import Sheet
from nastavnik_metrics.exports.xlsxfile import XlsxFile

__all__ = ["CsvFile", "Row", "Sheet", "XlsxFile", "row"]

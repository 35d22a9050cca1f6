"""Bulk files of people by columns: what is clean is checked, hashed and compared at once.

A fast lane, never another law. Whatever it is not sure of it leaves to the code that goes row by
row, which alone says what is wrong and where.
"""

from nastavnik_registry.imports.columnar.applied import Applied, apply
from nastavnik_registry.imports.columnar.checked import Frames
from nastavnik_registry.imports.columnar.people import People, people

__all__ = ["Applied", "Frames", "People", "apply", "people"]

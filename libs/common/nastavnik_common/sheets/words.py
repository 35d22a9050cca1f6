"""Texts as people type them, brought to one form for comparing."""

import re
import unicodedata
from typing import Any

_SPACES = re.compile(r"[\s\u00a0\u2000-\u200b\u202f\u2060\ufeff]+")
_NOT_WORDS = re.compile(r"[^\w%+]+")


def tidy(value: Any) -> str:
    """A cell as text: spaces of any kind are one space, and a whole number has no fraction."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _SPACES.sub(" ", unicodedata.normalize("NFC", str(value))).strip()


def fold(value: Any) -> str:
    """For comparing: case, ё and е, punctuation and kinds of spaces make no difference."""
    return _NOT_WORDS.sub(" ", tidy(value).casefold().replace("ё", "е")).strip()

"""Check digits of Russian numbers. Digits in, True when they add up."""


def snils(digits: str) -> bool:
    """11 digits. Numbers up to 001-001-998 were given out before there was a check number."""
    if len(digits) != 11 or not digits.isascii() or not digits.isdigit():
        return False
    if int(digits[:9]) <= 1_001_998:
        return int(digits[:9]) > 0
    total = sum(int(d) * weight for d, weight in zip(digits[:9], range(9, 0, -1), strict=True))
    return total % 101 % 100 == int(digits[9:])


def inn(digits: str) -> bool:
    """10 digits of an organisation, 12 of a person."""
    if not digits.isascii() or not digits.isdigit() or not int(digits):
        return False
    if len(digits) == 10:
        return _inn_digit(digits, (2, 4, 10, 3, 5, 9, 4, 6, 8)) == digits[9]
    if len(digits) == 12:
        first = _inn_digit(digits, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8))
        second = _inn_digit(digits, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8))
        return first + second == digits[10:]
    return False


def ogrn(digits: str) -> bool:
    """13 digits of an organisation, 15 of an entrepreneur."""
    if len(digits) not in (13, 15) or not digits.isascii() or not digits.isdigit():
        return False
    return str(int(digits[:-1]) % (len(digits) - 2) % 10) == digits[-1]


def _inn_digit(digits: str, weights: tuple[int, ...]) -> str:
    total = sum(int(d) * weight for d, weight in zip(digits, weights, strict=False))
    return str(total % 11 % 10)

"""What can go wrong on this machine."""


class LaunchError(RuntimeError):
    """Something the person at the terminal can act on; the message says what and how."""

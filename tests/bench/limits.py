"""What limits each figure, as profiles have shown (`--profile`, py-spy). Measured, not guessed:
look again when the code has changed."""

LIMITS = dict.fromkeys(("latency", "batch", "roster", "relay", "catch_up", "memory"), "")

"""Why a pull stops. Codes are stable; nothing that was received is repeated."""


class PullError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RefusedError(PullError):
    """The provider does not understand the request: 400 or 422."""

    def __init__(self) -> None:
        super().__init__("pull.request_refused")


class BusyError(PullError):
    """To be tried again, after `wait` seconds if the provider says so."""

    def __init__(self, wait: float | None = None) -> None:
        super().__init__("pull.provider_unavailable")
        self.wait = wait

"""How the work of a decoder can end without a result."""

from __future__ import annotations


class Refused(Exception):
    """The bytes will not become what was asked for, however often they are sent. Raised by decoders too."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Crashed(Exception):
    """The bytes broke their decoder, and would again."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"signal {signal}")
        self.signal = signal


class Busy(Exception):
    """Nobody had time, or the decoder was ended for what need not be the bytes' fault: try again."""


class NoSpace(Exception):
    """No room on the disk for what was made."""

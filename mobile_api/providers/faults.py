"""What can go wrong between here and a provider, told apart by the one question that matters: may it have the push?"""

from __future__ import annotations


class NotSent(Exception):
    """It has not got it: try again."""


class Cut(Exception):
    """It may have it, or not: the answer was lost."""


class NotAllowed(Exception):
    """Nothing was sent, and nothing will be: the address is one that this server does not speak to."""

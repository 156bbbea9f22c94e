"""Which passwords are refused (NIST SP 800-63B-4, 3.1.1.2; ASVS 5.0, 6.2): short ones, common ones, one's own login.

No rules about kinds of characters and no expiry: both make people write passwords down.
"""

from __future__ import annotations

from typing import Final

from chat_server.domain import limits
from chat_server.domain.errors import PASSWORD_WEAK, Problem
from chat_server.domain.text import nfkc

LONGEST: Final = 1_024
_DISTINCT: Final = 5
_OWN: Final = 6
"""What must be left of a password besides the login and the organization's code."""

_COMMON: Final = """
password passwort passw0rd p@ssw0rd p@ssword pass passwd qwerty qwertyuiop asdfghjkl zxcvbnm qazwsx qazwsxedc
abc abcd abcde abcdef abcdefg abcdefgh abcdefghij letmein welcome admin administrator root user guest test
iloveyou monkey dragon sunshine princess football baseball superman master shadow secret changeme default
login renraku yakusho shiyakusho kencho kencyo kuyakusho chosei soumu soumuka jouhou jichitai
sakura japan nippon nihon tokyo osaka konnichiwa arigatou aishiteru doraemon pikachu
1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qaz2wsx3edc q1w2e3r4 zaq12wsx qwer asdf zxcv
パスワード ぱすわーど パスワ 市役所 町役場 役場 県庁 合言葉 暗証番号
"""
_COMMON_WORDS: Final = frozenset(_COMMON.split())
"""What is left of the usual lists at ten characters and more is one of these, once or twice, with digits or signs."""

_RUNS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "01234567890123456789",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "あいうえおかきくけこさしすせそたちつてと",
)


def check(password: str, login: str, organization: str = "", field: str = "password") -> None:
    """Raises `Problem` 6003."""
    folded = nfkc(password).casefold()
    if not limits.PASSWORD_CHARS <= len(folded) <= LONGEST or _is_weak(folded, login, organization):
        raise Problem(PASSWORD_WEAK, field=field, limit=limits.PASSWORD_CHARS)


def _is_weak(folded: str, login: str, organization: str) -> bool:
    if len(set(folded)) < _DISTINCT or _is_run(folded) or _is_run(folded[::-1]):
        return True
    rest = folded
    for own in (login, organization):
        if len(own) >= 3:
            rest = rest.replace(own, "")
    if rest != folded and len(rest) < _OWN:
        return True
    core = "".join(c for c in folded if c.isalpha())
    half = core[: len(core) // 2]
    bare = folded.strip("0123456789!?.,-_@#$%&*+ ")
    return any(word in _COMMON_WORDS for word in (core, bare)) or (core == half * 2 and half in _COMMON_WORDS)


def _is_run(folded: str) -> bool:
    return any(folded in run for run in _RUNS)

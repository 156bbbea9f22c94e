"""The second look. `looking.look(source, kind)` reads a rebuilt file and answers what is active or unexpected in it,
in a few English words each for the operator's log; an empty list releases it. A module a family of formats, each with

    def check(source: IO[bytes]) -> list[str]

(`images`, `ooxml` and `text` are told the kind too: of one family, the kinds are not alike.) Written from the
formats' specifications and the attacks on them, without knowledge of the rebuilders and without their code: a mistake
that both share would be one that nobody sees. So it prefers other means: it reads the bytes of packages, pictures and
PDF itself, and XML with expat.

A file that it cannot read is a finding. What it does not expect (an exception) is the caller's to refuse.
"""

"""The second look. Each module has

    def check(source: IO[bytes]) -> list[str]

which reads a rebuilt file and answers what is active or unexpected in it, in a few English words each for the operator's log; an
empty list releases it. Written from the formats' specifications and the attacks on them, without knowledge of the rebuilders and
without their code: a mistake that both share would be one that nobody sees.
"""

"""The rebuilders. Each module has

    def rebuild(source: IO[bytes], target: IO[bytes], order: Order) -> Rebuilt

which reads a stranger's bytes from `source` (seekable), writes a file that it composed itself to `target`, and raises
`decoders.outcome.Refused` with a key of `words.REASONS` where it cannot. Allow-lists throughout: a rebuilder copies what it
knows and leaves behind what it does not, and never the other way round. It runs in a confined child: no other file, no network,
no program, bounded memory and time; a crash is a refusal.
"""

"""The least that receiving a file costs: `python -m bench.raw_write FOLDER BYTES` writes as many random bytes to a file
there, hashes them on the way, and prints the seconds until they are safe."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time

_PIECE = 1 << 20


def main() -> None:
    folder, size = sys.argv[1], int(sys.argv[2])
    piece = os.urandom(_PIECE)
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        begun = time.perf_counter()
        seen = hashlib.sha256()
        for _ in range(size // _PIECE):
            seen.update(piece)
            file.write(piece)
        os.fdatasync(file.fileno())
        print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()

"""What takes a program of its own behind the wall of `decoders.program`: how it is started, and what it prints.

One process a file. It prints one line of JSON (`report.Told`), then what it made.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from chat_server.decoders.helper import IMPORT_ROOT, Helper
from chat_server.decoders.outcome import Busy, Refused
from chat_server.decoders.program import TOO_LONG
from chat_server.sanitizing.report import Rebuilt, Told

_LINE_BYTES: Final = 256 * 1024
# By a link: the folder around this code may hold what is none of the program's business, and Python lists the folder it imports from.
# 152: ended by SIGXCPU. The limit is the soft one, because the kernel kills at the hard one, which could be any other end as well.
_SCRIPT: Final = """
mkdir "$WORK/lib" && ln -s {code} "$WORK/lib/chat_server"
export OPENBLAS_NUM_THREADS=1 PYTHONPATH="$WORK/lib"
ulimit -S -t {seconds}
{python} -P -s -m {module} {task} "$SOURCE"
test $? -ne 152 || echo '{{"reason":"takes_too_long"}}'
"""
_CODE: Final = Path(IMPORT_ROOT, "chat_server")
_NEEDS: Final = (Path(sys.prefix), Path(sys.base_prefix), _CODE)
"""Python, its libraries, and this code: nothing of it is a secret."""


async def run(
    helper: Helper, module: str, task: str, source: Path, scratch: Path, *, makes: str, seconds: int
) -> tuple[Rebuilt, Path]:
    """What `python -m module task source` made, in `scratch`, and what it said of it. `makes`: the kind that it has to be; `seconds`:
    of processor time. Raises `Refused`, `Busy`, `NoSpace`."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    printed, made = folder / "printed", folder / "made"
    script = _SCRIPT.format(
        code=shlex.quote(str(_CODE)), python=shlex.quote(sys.executable), module=module, task=task, seconds=seconds
    )
    status = await helper.run(script, source, f"source.{task}", printed, readable=_NEEDS)
    if status == TOO_LONG:
        raise Refused("takes_too_long")
    told = _told(printed, made)
    if told.reason is not None:
        raise Refused(told.reason)
    if told.rebuilt is None or told.rebuilt.kind != makes:
        raise Busy(f"{module} answered for another kind")
    return told.rebuilt, made


def _told(printed: Path, made: Path) -> Told:
    with printed.open("rb") as file, made.open("xb") as rest:
        line = file.readline(_LINE_BYTES)
        if not line.endswith(b"\n"):
            # it ended before it had anything to say: killed by its bounds, or by what it read
            raise Refused("crashed")
        shutil.copyfileobj(file, rest, 1 << 20)
    try:
        return msgspec.json.decode(line, type=Told)
    except msgspec.MsgspecError as error:
        raise Busy(f"a report in no known shape: {error}") from None

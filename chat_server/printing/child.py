"""`python -m chat_server.printing.child FOLDER`: typesets `FOLDER/job` into `FOLDER/out/note.pdf`. The pictures are `FOLDER/0`, `1` …

Before it looks at what people wrote it gives up everything but reading fonts and that folder, and writing below `out`: no network,
no other files, no more memory and time than a long note takes. The pictures are the store's own files under another name: it must
not be able to write them.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
import weasyprint
from weasyprint.urls import URLFetcher, URLFetcherResponse

from chat_server.decoders import seccomp
from chat_server.decoders.limits import deny_file_system, drop_capabilities
from chat_server.domain.printed import OUT, Job
from chat_server.printing.page import PICTURE, page

_MEMORY: Final = 2 << 30
_SECONDS: Final = 60
_OUTPUT: Final = 256 << 20
_OPEN_FILES: Final = 128
_FONTS: Final = ("/usr/share", "/usr/local/share", "/usr/lib", "/lib", "/lib64", "/etc/fonts", "/var/cache/fontconfig")
_NO_NEW_PRIVS: Final = 38


class _Pictures(URLFetcher):  # type: ignore[misc]  # the library has no types
    """Nothing but the pictures of the job."""

    def __init__(self, folder: Path) -> None:
        super().__init__(allowed_protocols=())
        self._folder = folder

    def fetch(self, url: str, headers: Any = None) -> Any:
        number = url.removeprefix(PICTURE)
        if not url.startswith(PICTURE) or not (number.isascii() and number.isdecimal()):
            raise ValueError("only what the job brings is shown")
        return URLFetcherResponse(url, (self._folder / number).read_bytes())


def main() -> None:
    folder = Path(sys.argv[1])
    _typeset("<p>あ</p>", folder)  # what is loaded on first use is loaded before the doors close
    _confine(folder)
    job = msgspec.msgpack.decode((folder / "job").read_bytes(), type=Job)
    _typeset(page(job), folder).write_pdf(folder / OUT)


def _typeset(html: str, folder: Path) -> Any:
    return weasyprint.HTML(string=html, url_fetcher=_Pictures(folder)).render()


def _confine(folder: Path) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_FSIZE, _OUTPUT),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))
    os.nice(10)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    drop_capabilities(libc)
    here = str(Path(__file__).parents[2])
    readable = (*_FONTS, sys.prefix, sys.base_prefix, here, str(folder))
    deny_file_system(libc, readable=readable, writable=(str((folder / OUT).parent),))
    program = seccomp.whole_program(own_folders=True)
    if program is not None:
        seccomp.apply(program)


if __name__ == "__main__":
    main()

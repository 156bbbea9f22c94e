# What the scripts here share. Sourced, never run.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=${VENV:-$ROOT/.venv}
CLIENT=$ROOT/chat_server/web # the built client: inside the package, so that it travels in the wheel
cd "$ROOT"

# Compiled once: where this is set, every process that a test starts compiles three hundred modules anew.
unset PYTHONDONTWRITEBYTECODE

# A user's pip.conf may say `user = true`, which fails inside a virtual environment.
export PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '▸ %s\n' "$*" >&2; }

# fail "what is missing" "what to do about it"
fail() {
    printf '\n✗ %s\n' "$1" >&2
    shift
    [[ $# -eq 0 ]] || printf '  %s\n' "$@" >&2
    exit 1
}

# Stamps hold contents, not times: a checkout touches files, a moved folder breaks the paths inside .venv,
# and a deleted file has no time at all.
fingerprint() { { echo "$ROOT"; find "$@" -type f -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0r sha256sum; } | sha256sum; }
stamped() { [[ -f $1 && $(<"$1") == "$2" ]]; }

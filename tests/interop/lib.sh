# Sourced by every group of ../interop.sh: what a check is, and where the peers come from.
# Gives $here (this folder), $work (a folder that is removed at the end), $ctkip, $cache.
# shellcheck shell=bash
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
group=$(basename "$0" .sh)
ctkip=${CTKIP:-$("$here/build.sh")} || exit 1
cache=$(cd "$here/../.." && pwd)/target/interop
work=$(mktemp -d)
servers=()
mkdir -p "$cache"

cleanup() {
    [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT

# --- checks ---------------------------------------------------------------------------

pass() { echo "PASS $1"; }
fail() { echo "FAIL $1: $2"; }
skip() { echo "SKIP $1: $2"; }

# check NAME COMMAND…: PASS when the command is true; else FAIL with what it left in $why.
check() {
    local name=$1
    shift
    why="$* is false"
    if "$@"; then pass "$name"; else fail "$name" "$why"; fi
}

# exits STATUS COMMAND…: the command ends with this status. Its output is in $work/stdout
# and $work/stderr.
exits() {
    local expected=$1 status=0
    shift
    timeout 60 "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
    why="exit status $status instead of $expected: $(grep . "$work/stderr" | tail -n 1)"
    [ "$status" = "$expected" ]
}

# same WHAT OURS THEIRS: the two texts are equal and not empty.
same() {
    why="$1: ours is '$2', the peer's is '$3'"
    [ -n "$2" ] && [ "$2" = "$3" ]
}

# --- what has to be there -----------------------------------------------------------------

# need COMMAND [PACKAGE]: installs the Debian package if the command is missing; a command
# that cannot be had ends the group.
need() {
    command -v "$1" >/dev/null || apt_install "${2:-$1}"
    command -v "$1" >/dev/null || unavailable "$1 is not installed and apt-get cannot install it"
}

# need_python: sets $python to an interpreter that has the Python peers.
need_python() {
    need python3
    python3 -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
    python=$cache/venv/bin/python
    local installed=$cache/venv/requirements.txt
    cmp -s "$here/requirements.txt" "$installed" && return
    { python3 -m venv --clear "$cache/venv" &&
        "$python" -m pip install --quiet --requirement "$here/requirements.txt"; } >"$cache/pip.log" 2>&1 ||
        unavailable "the Python peers cannot be installed: $(tail -n 1 "$cache/pip.log")"
    cp "$here/requirements.txt" "$installed"
}

apt_install() {
    [ "$(id -u)" = 0 ] || return
    local apt='timeout 600 env DEBIAN_FRONTEND=noninteractive apt-get -qq'
    { $apt install -y --no-install-recommends "$1" ||
        { $apt update && $apt install -y --no-install-recommends "$1"; }; } >"$cache/apt.log" 2>&1
}

unavailable() {
    [ "${CI:-}" = true ] && fail "$group" "$1" && exit 1
    skip "$group" "$1"
    exit 0
}

# --- the rsa_ct_kip server ----------------------------------------------------------------

# serve [OPTION…]: starts it (options: server.py --help), sets $port and $log.
serve() {
    log=$work/server-${#servers[@]}
    : >"$log"
    (cd "$work" && exec "$python" "$here/server.py" --log "$log" "$@" >/dev/null 2>"$log.err") &
    servers+=($!)
    local tries
    for tries in $(seq 200); do
        port=$(awk '$1 == "port" { print $2 }' "$log")
        [ -n "$port" ] && return
        kill -0 "${servers[-1]}" 2>/dev/null || break
        sleep 0.1
    done
    fail "$group" "the rsa_ct_kip server did not start: $(tail -n 1 "$log.err")"
    exit 1
}

# The lines of the log: `hello CODE DIGEST`, `nonce CODE DIGEST`, `token SERIAL SEED`.
logged() { awk -v kind="$1" '$1 == kind' "$log"; }
server_serial() { logged token | tail -n 1 | cut -d ' ' -f 2; }
server_seed() { logged token | tail -n 1 | cut -d ' ' -f 3; }

# --- token files ----------------------------------------------------------------------------

# stoken_field FILE LABEL: a line of `stoken show`.
stoken_field() {
    stoken show --seed --batch --file "$1" 2>"$work/stderr" | sed -n "s/^$2 *: *//p"
}
stoken_seed() { stoken_field "$1" 'Decrypted seed' | tr -d ' '; }

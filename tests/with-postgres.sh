#!/usr/bin/env bash
# Runs a command beside a PostgreSQL of its own, which is gone afterwards, and exits as it did.
#
#     tests/with-postgres.sh cargo test -p ctkip-server
#
# The command finds CTKIP_TEST_POSTGRES_URL, the URL of a superuser, with which tests make databases
# of their own; and CTKIP_TEST_POSTGRES=1, with which they fail rather than skip. The cluster is
# Debian's, on a free port of 127.0.0.1 in a temporary directory, as durable as one in use (fsync).
set -u
[ $# -gt 0 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }

complain() { echo "with-postgres.sh: $*" >&2; }

# Where its programs are; Debian keeps them out of PATH.
programs() {
    local newest
    newest=$(find /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)
    newest=${newest:-$(command -v initdb)}
    [ -n "$newest" ] && bin=$(dirname "$(readlink -f "$newest")")
}

install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return
    local apt='timeout 600 env DEBIAN_FRONTEND=noninteractive apt-get -qq'
    { $apt install -y --no-install-recommends postgresql ||
        { $apt update && $apt install -y --no-install-recommends postgresql; }; } >&2
}

programs || { install && programs; } || { complain 'PostgreSQL is not installed'; exit 1; }

# initdb refuses root.
as=()
if [ "$(id -u)" = 0 ]; then
    for user in postgres nobody; do
        id "$user" >/dev/null 2>&1 && as=(runuser -u "$user" --) && break
    done
    [ ${#as[@]} -gt 0 ] || { complain 'there is no user to run PostgreSQL as'; exit 1; }
fi

command='' work=$(mktemp -d /tmp/ctkip-postgres.XXXXXX) || exit 1
cleanup() {
    trap '' HUP INT TERM
    [ -z "$command" ] || kill "$command" 2>/dev/null && wait "$command" 2>/dev/null
    [ ! -e "$work/data/postmaster.pid" ] ||
        own "$bin/pg_ctl" --pgdata "$work/data" --mode immediate stop >/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
own() { (cd "$work" && ${as[@]+"${as[@]}"} "$@"); }
[ ${#as[@]} -eq 0 ] || chown "$user" "$work"

own "$bin/initdb" --pgdata "$work/data" --username postgres --auth trust --encoding UTF8 \
    --no-locale >"$work/initdb.log" 2>&1 || { complain 'initdb failed'; cat "$work/initdb.log" >&2; exit 1; }
# Somebody else may take the port first; then it is another.
for try in 1 2 3 4 5 6 7 8 9 10; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
    own "$bin/pg_ctl" --pgdata "$work/data" --log "$work/log" --timeout 60 --wait --silent start \
        -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300" \
        >/dev/null && break
    [ "$try" -lt 10 ] || { complain 'it does not start'; tail -n 5 "$work/log" >&2; exit 1; }
done

export CTKIP_TEST_POSTGRES=1 CTKIP_TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres"
# Beside us, so that a signal ends both; with our input all the same.
"$@" <&0 &
command=$!
wait "$command"
status=$?
command=''
exit "$status"

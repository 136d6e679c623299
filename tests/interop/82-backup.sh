#!/usr/bin/env bash
# Backup and restore, by the commands of docs/server.md: a store is copied while clients provision,
# lost, and put back, in SQLite and in PostgreSQL.
. "$(dirname "$0")/lib.sh"
root=$(cd "$here/../.." && pwd)
need sqlite3
need python3
place=$work/place codes=$work/codes.csv held=$work/held tokens=$work/tokens
key=$place/master.key
# The clients before the backup, those beside it, and the enrolments in all.
before=200 beside=600 all=6000

# documented COMMAND: runs a command that docs/server.md gives, as it stands there, where the store is.
documented() {
    why="docs/server.md does not say: $1"
    grep -qF -- "$1" "$root/docs/server.md" || return
    why="$1 failed"
    (cd "$place" && umask 077 && eval "$1") >"$work/stdout" 2>"$work/stderr" && return
    why="$1: $(tail -n 1 "$work/stderr")"
    return 1
}

# node: starts one, sets $url and $pid.
node() {
    local log=$work/node-${#servers[@]} tries
    (cd "$place" && exec "$ctkip" serve --store "$store" --master-key-file "$key" --listen 127.0.0.1:0 \
        --key-bits 1024 >"$log" 2>"$log.err") &
    pid=$!
    servers+=("$pid")
    for tries in $(seq 300); do
        url=$(awk '$1 == "URL" { print $2 }' "$log")
        [ -n "$url" ] && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    why="ctkip serve did not start: $(grep . "$log.err" | tail -n 1)"
    return 1
}

# operate STATUS COMMAND…: an operator's command on the store ends with this status.
operate() {
    local status=$1
    shift
    (cd "$place" && exits "$status" "$ctkip" "$@" --store "$store" --master-key-file "$key" ||
        { echo "$why" >"$work/why" && exit 1; }) || { why="ctkip $1: $(cat "$work/why")" && return 1; }
}

# Serial number and seed of each token: of the store, and of those that clients hold.
exported() { operate 0 tokens export --to json && serials_and_seeds "$work/stdout"; }
serials_and_seeds() {
    python3 -c '
import json, sys
for path in sys.argv[1:]:
    with open(path) as file:
        tokens = json.load(file)
    for token in tokens if isinstance(tokens, list) else [tokens]:
        print(token["serial"], token["seed"])' "$@" | sort
}
# those_of FILE: what the clients hold whose serial numbers are in the file.
# shellcheck disable=SC2046 # these are words
those_of() { (cd "$tokens" && serials_and_seeds $(cat "$1")); }

code_of() { awk -F , -v serial="$1" '$1 == serial { print $3 }' "$codes"; }

# A client: a serial number and its code. Once it has its token it says so in $held.
cat >"$work/client" <<EOF
#!/bin/sh
printf %s "\$2" | "$ctkip" provision "\$CTKIP_URL" --code-file - --to json -o "$tokens/\$1" 2>"$work/client.\$1" >&2 &&
    echo "\$1" >>"$held" && rm "$work/client.\$1"
EOF
chmod +x "$work/client"
# clients FROM TO: one for each of these lines of the codes, four at a time.
clients() {
    sed -n "$(($1 + 1)),$(($2 + 1))p" "$codes" | cut -d , -f 1,3 | tr , ' ' |
        CTKIP_URL=$url xargs -P 4 -L 1 "$work/client"
}

is_copied_while_clients_provision() { # by COMMAND
    local provisioning tries
    node || return
    { echo user && seq -f 'user%g' "$all"; } >"$work/users.csv"
    operate 0 enrol --csv "$work/users.csv" --key-bits 1024 -o "$codes" || return
    clients 1 "$before" || { why='a client got no token before the backup' && return 1; }
    clients $((before + 1)) $((before + beside)) &
    provisioning=$!
    for tries in $(seq 600); do
        [ "$(wc -l <"$held")" -ge $((before + 50)) ] && break
        sleep 0.05
    done
    cp "$held" "$work/answered"
    documented "$1" || return
    cp "$held" "$work/meanwhile"
    kill -0 "$provisioning" 2>/dev/null || { why='the clients were done before the copy was' && return 1; }
    wait "$provisioning" || { why='a client got no token beside the backup' && return 1; }
    echo "# tokens answered: $(wc -l <"$work/answered") before the backup began, $(wc -l <"$work/meanwhile") when it was over, $(wc -l <"$held") when the store was lost"
    why='no client was served while the copy was made'
    [ "$(wc -l <"$work/meanwhile")" -gt "$(wc -l <"$work/answered")" ]
}

# The machine loses its store, in mid-air: there is nothing but the copy.
is_restored() { # by COMMAND
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    documented "$1" && node
}

every_answered_token_is_there() {
    exported >"$work/restored" || return
    local missing strange
    missing=$(comm -23 <(those_of "$work/answered") "$work/restored" | wc -l)
    strange=$(comm -13 <(those_of "$held") "$work/restored" | wc -l)
    echo "# tokens restored: $(wc -l <"$work/restored")"
    why="$missing tokens that were answered are missing or differ, $strange are held by nobody"
    [ "$missing" = 0 ] && [ "$strange" = 0 ] && [ "$(wc -l <"$work/restored")" -lt "$(wc -l <"$held")" ]
}

# provisions STATUS SERIAL CODE: a client of the restored server.
provisions() {
    exits "$1" "$ctkip" provision "$url" "$3" --to json --force -o "$tokens/$2"
}
is_refused_a_used_code() {
    local serial
    serial=$(head -n 1 "$work/answered")
    provisions 1 "$serial" "$(code_of "$serial")"
}
gets_a_token_for_an_open_code() {
    local serial
    serial=$(tail -n 1 "$codes" | cut -d , -f 1)
    provisions 0 "$serial" "$(code_of "$serial")" || return
    same 'seed' "$(exported | grep "^$serial ")" "$(serials_and_seeds "$tokens/$serial")"
}
# What was issued after the copy is open again, until it is reissued.
is_open_again_until_reissued() {
    local serial old
    serial=$(comm -23 <(sort "$held") <(cut -d ' ' -f 1 "$work/restored") | head -n 1)
    old=$(code_of "$serial")
    operate 0 enrolments --state open --json || return
    why="$serial is not listed as open"
    grep -q "$serial" "$work/stdout" || return
    operate 0 reissue "$serial" --json || return
    local new
    new=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["code"])' <"$work/stdout")
    provisions 1 "$serial" "$old" && provisions 0 "$serial" "$new"
}
tokencodes_are_verified() {
    local serial code
    serial=$(head -n 1 "$work/answered")
    code=$("$ctkip" tokencode --pin 0000 "$tokens/$serial" 2>"$work/stderr") ||
        { why="tokencode: $(tail -n 1 "$work/stderr")" && return 1; }
    operate 0 tokens verify "$serial" "$code" && operate 1 tokens verify "$serial" "$code"
}

# does_not_start TEXT OPTION…: the server ends with status 2 and says this; so does an operator's command.
does_not_start() {
    local text=$1
    shift
    for command in "serve --listen 127.0.0.1:0" enrolments; do
        # shellcheck disable=SC2086 # these are words
        (cd "$place" && exits 2 "$ctkip" $command --store "$store" "$@" ||
            { echo "$why" >"$work/why" && exit 1; }) || { why="${command%% *}: $(cat "$work/why")" && return 1; }
        why="${command%% *} says $(head -n 1 "$work/stderr")"
        grep -q "$text" "$work/stderr" || return
    done
}
needs_its_master_key() {
    "$ctkip" keys make-master "$work/other.key" 2>/dev/null
    does_not_start 'not the master key that the store was made with' --master-key-file "$work/other.key"
    local status=$?
    rm "$work/other.key"
    return $status
}
is_not_given_a_new_one() {
    does_not_start 'master key file .* cannot be read' --master-key-file "$work/absent.key" || return
    # By itself SQLite's would stand beside the file; no new one is made there either.
    case $store in sqlite:*) does_not_start 'master key file .* cannot be read' || return ;; esac
    why='a master key was made'
    ! [ -e "$work/absent.key" ] && ! [ -e "$place/ctkip.db.key" ]
}

backup() { # NAME BACKUP RESTORE: all of it
    rm -rf "$place" "$tokens" "$held" "$codes"
    mkdir "$place" "$tokens" && : >"$held"
    "$ctkip" keys make-master "$key" 2>"$work/stderr"
    check "$1: it is copied while clients provision" is_copied_while_clients_provision "$2"
    check "$1: the copy is put back, and the server starts" is_restored "$3"
    check "$1: every token that was answered before is there, with its seed" every_answered_token_is_there
    check "$1: a code that was used before is refused" is_refused_a_used_code
    check "$1: an open code is good" gets_a_token_for_an_open_code
    check "$1: a code that was used since is open again, until it is reissued" is_open_again_until_reissued
    check "$1: tokencodes are verified" tokencodes_are_verified
    kill "$pid" && wait "$pid"
    check "$1: another master key is refused" needs_its_master_key
    check "$1: without a master key it does not start" is_not_given_a_new_one
}

if [ -z "${CTKIP_TEST_POSTGRES_URL:-}" ]; then
    store=sqlite:ctkip.db
    backup SQLite "sqlite3 ctkip.db \"VACUUM INTO 'copy.db'\" && sync copy.db" \
        'rm -f ctkip.db-wal ctkip.db-shm && mv copy.db ctkip.db'
    "$root/tests/with-postgres.sh" true 2>"$work/stderr" ||
        unavailable "there is no PostgreSQL: $(tail -n 1 "$work/stderr")"
    # The rest of this file.
    "$root/tests/with-postgres.sh" "$0"
    exit
fi

server=${CTKIP_TEST_POSTGRES_URL#*@} server=${server%/*}
export PGHOST=${server%:*} PGPORT=${server#*:} PGUSER=postgres
for program in createuser createdb dropdb pg_dump pg_restore; do
    command -v "$program" >/dev/null || { fail "$group" "with-postgres.sh gives no $program" && exit 1; }
done
createuser ctkip && createdb --owner=ctkip ctkip || { fail "$group" 'no database can be made' && exit 1; }
store=postgres://ctkip@$server/ctkip
backup PostgreSQL 'pg_dump --format=custom --file=copy ctkip' \
    'dropdb --if-exists ctkip && createdb --owner=ctkip ctkip && pg_restore --single-transaction --dbname=ctkip copy'

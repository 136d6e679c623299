#!/usr/bin/env bash
# `ctkip serve --store`, which remembers. The rsa_ct_kip client against a node over SQLite and one
# over PostgreSQL; two nodes over one PostgreSQL behind haproxy, of which one is killed in mid-load;
# nodes that are killed over and over (CTKIP_KILLS times, 12 unless it says otherwise; .ci/run kills 100 times elsewhere).
. "$(dirname "$0")/lib.sh"
root=$(cd "$here/../.." && pwd)
need stoken
need haproxy
need_python
file=$work/token.sdtid
codes=2000

# node STORE: starts one on a free port, sets $url, $host, $admin, $pid and $log.
node() {
    log=$work/node-${#servers[@]}
    "$ctkip" serve --store "$1" --master-key-file "$key" --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 \
        --key-bits 1024 --log json >"$log" 2>"$log.err" &
    pid=$!
    servers+=("$pid")
    local tries
    for tries in $(seq 300); do
        url=$(awk '$1 == "URL" { print $2 }' "$log")
        admin=$(sed -n 's|.*http://\([0-9.:]*\)/healthz.*|\1|p' "$log")
        [ -n "$admin" ] && host=${url#http://} && host=${host%%/*} && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    fail "$group" "ctkip serve --store did not start: $(tail -n 1 "$log.err")"
    exit 1
}

# operate STORE COMMAND…: an operator's command on a store.
operate() {
    local store=$1
    shift
    timeout 60 "$ctkip" "$@" --store "$store" --master-key-file "$key" 2>"$work/stderr"
}

# exported STORE: serial number and seed of each token, in order.
exported() {
    operate "$1" tokens export --to json | "$python" -c '
import json, sys
for token in json.load(sys.stdin):
    print(token["serial"], token["seed"])' | sort
}

# The client that is well known, from a code to a token file. It takes no code a second time.
python_client() {
    local code serial
    code=$(operate "$store" enrol --user alice --key-bits 1024 --json | tee "$work/enrolled" |
        "$python" -c 'import json, sys; print(json.load(sys.stdin)["code"])')
    serial=$("$python" -c 'import json, sys; print(json.load(sys.stdin)["serial"])' <"$work/enrolled")
    rm -f "$file"
    (cd "$work" && exits 0 "$python" -c 'from rsa_ct_kip.client import main; main()' "$url" "$code" "$file" ||
        { echo "$why" >"$work/why" && exit 1; }) || { why=$(cat "$work/why") && return 1; }
    same 'serial' "$serial" "$(stoken_field "$file" 'Serial number')" || return
    same 'seed' "$(exported "$store" | sed -n "s/^$serial //p")" "$(stoken_seed "$file")" || return
    (cd "$work" && exits 1 "$python" -c 'from rsa_ct_kip.client import main; main()' "$url" "$code" "$file.2") ||
        { why='the code was taken a second time' && return 1; }
    why='the second refusal is another than that of a wrong code'
    grep -q 'Invalid authorization code\.' "$work/stderr"
}

if [ -z "${CTKIP_TEST_POSTGRES_URL:-}" ]; then
    key=$work/sqlite.key
    store=sqlite:$work/tokens.db
    "$ctkip" keys make-master "$key" 2>"$work/stderr"
    node "$store"
    check 'rsa_ct_kip 0.6.0, SQLite' python_client
    "$root/tests/with-postgres.sh" true 2>"$work/stderr" ||
        unavailable "there is no PostgreSQL: $(tail -n 1 "$work/stderr")"
    # The rest of this file.
    "$root/tests/with-postgres.sh" "$0"
    exit
fi

key=$work/postgres.key
store=$CTKIP_TEST_POSTGRES_URL
"$ctkip" keys make-master "$key" 2>"$work/stderr"
node "$store"
one=$pid one_host=$host one_admin=$admin one_log=$log
check 'rsa_ct_kip 0.6.0, PostgreSQL' python_client
node "$store"
two_host=$host two_admin=$admin two_log=$log
check 'rsa_ct_kip 0.6.0, PostgreSQL, the other node' python_client

# --- two nodes behind a proxy, one is killed ---------------------------------------------------

(cd "$root" && cargo build --quiet --release -p ctkip-tests --example steadfast) || exit 1
steadfast=$(cd "$root" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/release/examples/steadfast
port=$("$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
# What did not reach a node is given to another. What did is not: it is the client who knows that
# its last request may be sent again.
cat >"$work/haproxy.cfg" <<EOF
global
    maxconn 256
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    retries 3
    option redispatch 1
frontend clients
    bind 127.0.0.1:$port
    default_backend nodes
backend nodes
    balance roundrobin
    option httpchk GET /readyz
    default-server check inter 200 fall 2 rise 1
    server one $one_host port ${one_admin##*:}
    server two $two_host port ${two_admin##*:}
EOF
haproxy -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 &
servers+=($!)

issued() { grep -c '"issued"' "$1"; }
one_is_killed() {
    local before tries
    before=$(exported "$store")
    { echo user && seq -f 'user%g' "$codes"; } >"$work/users.csv"
    operate "$store" enrol --csv "$work/users.csv" --key-bits 1024 -o "$work/codes.csv" ||
        { why="enrol: $(head -n 1 "$work/stderr")" && return 1; }
    timeout 300 "$steadfast" "127.0.0.1:$port" "$work/codes.csv" 16 >"$work/held" 2>"$work/held.err" &
    local clients=$! status=0
    for tries in $(seq 3000); do
        [ "$(issued "$one_log.err")" -ge $((codes / 8)) ] && break
        sleep 0.02
    done
    kill -9 "$one"
    wait "$one" 2>/dev/null
    local first second
    first=$(issued "$one_log.err") second=$(issued "$two_log.err")
    wait "$clients" || status=$?
    local told
    told=$(tail -n 1 "$work/held")
    echo "# killed after $first tokens of its own and $second of the other, which made $(issued "$two_log.err") in the end: $told"
    why="status $status: $told $(tail -n 1 "$work/held.err")"
    [ "$status" = 0 ] || return
    why="it was killed when there was no load: $told"
    [ "$first" -lt "$codes" ] && ! [[ $told = *'resent 0 hellos_lost 0' ]] || return
    why='clients and store hold different tokens'
    diff <(grep -E '^[0-9]{12} [0-9a-f]{32}$' "$work/held" | sort) \
        <(comm -13 <(echo "$before") <(exported "$store")) >/dev/null || return
    why="not $codes tokens"
    [ "$(exported "$store" | comm -13 <(echo "$before") - | wc -l)" = "$codes" ]
}
check "two nodes behind haproxy, one killed in mid-load: $codes codes, as many tokens" one_is_killed
one_is_left() { url=http://127.0.0.1:$port/ctkip/services/CtkipService && python_client; }
check 'rsa_ct_kip 0.6.0, through haproxy to the node that is left' one_is_left

# --- killed over and over ------------------------------------------------------------------------

export CTKIP_KILLS=${CTKIP_KILLS:-12}
over_and_over() {
    local status=0
    (cd "$root" && timeout 900 cargo test --quiet -p ctkip-tests --test crash kill:: -- --nocapture) \
        >"$work/kills" 2>&1 || status=$?
    sed -n '/, nodes: /s/^\.*/# /p' "$work/kills"
    why=$(grep -m 1 -A 2 -E 'panicked|^error' "$work/kills" | tr '\n' ' ')
    [ "$status" = 0 ] && grep -q 'PostgreSQL, nodes: 2' "$work/kills"
}
check "killed $CTKIP_KILLS times under load, SQLite and PostgreSQL" over_and_over

#!/usr/bin/env bash
# What the two servers of ctkip bear. Prints Markdown tables, and a line a goal; exit status 1: a goal was
# missed.
#
#     tests/load.sh [--short] [PART…]
#
#     store   `ctkip serve --store`: SQLite, and PostgreSQL with 1 and with 2 nodes; some 25 minutes
#     test    `ctkip serve --code`, beside the rsa_ct_kip server under gunicorn; some 15 minutes
#
# Without a PART, both; with --short, some 5 minutes each. With OpenSSL's headers (libssl-dev, pkg-config) the
# OpenSSL backend is measured.
CTKIP=${CTKIP:-none}
. "$(dirname "$0")/interop/lib.sh"
short='' parts=()
for word; do
    case $word in
    --short) short=1 ;;
    store | test) parts+=("$word") ;;
    *) echo "load.sh: no part named $word" >&2; exit 2 ;;
    esac
done
[ ${#parts[@]} -gt 0 ] || parts=(store test)
need openssl
need_python

[ "$ctkip" != none ] && openssl=--openssl || {
    openssl='' features=''
    pkg-config --exists openssl 2>/dev/null && openssl=--openssl features='--features openssl'
    # shellcheck disable=SC2086
    (cd "$here/../.." && cargo build --quiet --release -p ctkip-cli $features) || exit 1
    ctkip=$(cd "$here/../.." && cd "${CARGO_TARGET_DIR:-target}" && pwd)/release/ctkip
    # A copy, since the next build of the program without OpenSSL takes its place.
    cp "$ctkip" "$work/ctkip" && ctkip=$work/ctkip
}
(cd "$here/../.." && cargo build --quiet --release -p ctkip-tests --example load --example lookups) || exit 1
examples=$(cd "$here/../.." && cd "${CARGO_TARGET_DIR:-target}" && pwd)/release/examples

load_store() {
    local sizes=()
    [ -z "$short" ] || sizes=(--rounds 3 --handshakes-a-round 8000 --tokens 100000 --enrolments 200000)
    # shellcheck disable=SC2086
    "$here/../with-postgres.sh" "$python" "$here/load_store.py" --ctkip "$ctkip" --load "$examples/load" \
        --lookups "$examples/lookups" --work "$work" $openssl "${sizes[@]}"
}

load_test() {
    "$python" -c 'import gunicorn' 2>/dev/null ||
        "$python" -m pip install --quiet 'gunicorn>=23,<26' || unavailable 'gunicorn cannot be installed'
    local sizes=()
    [ -z "$short" ] || sizes=(--rounds 2 --seconds 3 --handshakes 100000)
    # shellcheck disable=SC2086
    "$python" "$here/load.py" --ctkip "$ctkip" --load "$examples/load" --work "$work" $openssl "${sizes[@]}"
}

status=0
for part in "${parts[@]}"; do
    "load_$part" || status=1
done
exit $status

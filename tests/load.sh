#!/usr/bin/env bash
# What `ctkip serve` bears, beside the rsa_ct_kip server under gunicorn with 2 workers. Prints
# Markdown tables, and a line a goal; exit status 1: a goal was missed.
#
#     tests/load.sh                 some 15 minutes: 5 rounds, then 10^6 handshakes
#     tests/load.sh --short         some 3 minutes: 2 rounds, then 10^5 handshakes
#     tests/load.sh OPTION…         see interop/load.py
#
# With OpenSSL's headers (libssl-dev, pkg-config) the OpenSSL backend is measured too.
CTKIP=${CTKIP:-none}
. "$(dirname "$0")/interop/lib.sh"
need openssl
need_python
"$python" -c 'import gunicorn' 2>/dev/null ||
    "$python" -m pip install --quiet 'gunicorn>=23,<26' || unavailable 'gunicorn cannot be installed'

[ "${1:-}" != --short ] || set -- --rounds 2 --seconds 3 --handshakes 100000
[ "$ctkip" != none ] && openssl=--openssl || {
    openssl='' features=''
    pkg-config --exists openssl 2>/dev/null && openssl=--openssl features='--features openssl'
    # shellcheck disable=SC2086
    (cd "$here/../.." && cargo build --quiet --release -p ctkip-cli $features) || exit 1
    ctkip=$(cd "$here/../.." && cd "${CARGO_TARGET_DIR:-target}" && pwd)/release/ctkip
    # A copy, since the next build of the program without OpenSSL takes its place.
    cp "$ctkip" "$work/ctkip" && ctkip=$work/ctkip
}
(cd "$here/../.." && cargo build --quiet --release -p ctkip-tests --example load) || exit 1
load=$(cd "$here/../.." && cd "${CARGO_TARGET_DIR:-target}" && pwd)/release/examples/load

# shellcheck disable=SC2086
"$python" "$here/load.py" --ctkip "$ctkip" --load "$load" --work "$work" $openssl "$@"

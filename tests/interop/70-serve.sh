#!/usr/bin/env bash
# The rsa_ct_kip client against `ctkip serve`: both ends arrive at one seed. The release on PyPI,
# and, where RSA_CT_KIP_SRC names its folder, a newer source as well.
. "$(dirname "$0")/lib.sh"
need stoken
need openssl
need_python
file=$work/token.sdtid
code=314159265358

# ours [OPTION…]: starts `ctkip serve` on a free port, sets $url, $seeds.
ours() {
    seeds=$work/ours-${#servers[@]}
    : >"$seeds"
    "$ctkip" serve --code "$code" --listen 127.0.0.1:0 --print-seeds "$@" >"$seeds" 2>"$seeds.err" &
    servers+=($!)
    local tries
    for tries in $(seq 300); do
        url=$(awk '$1 == "URL" { print $2 }' "$seeds")
        [ -n "$url" ] && return
        kill -0 "${servers[-1]}" 2>/dev/null || break
        sleep 0.1
    done
    fail "$group" "ctkip serve did not start: $(tail -n 1 "$seeds.err")"
    exit 1
}

# The last line of standard output: serial number and seed of the last token.
our_serial() { tail -n 1 "$seeds" | cut -d ' ' -f 1; }
our_seed() { tail -n 1 "$seeds" | cut -d ' ' -f 2; }

# The client trusts the authority below. It has no option for that, nor does it look where
# requests otherwise would (REQUESTS_CA_BUNDLE).
cat >"$work/client.py" <<EOF
import requests.adapters
requests.adapters.DEFAULT_CA_BUNDLE_PATH = "$work/ca.pem"
from rsa_ct_kip.client import main
main()
EOF

# client STATUS ARGUMENT…: the client that is being tried ends with this status.
client() {
    local expected=$1
    shift
    rm -f "$file"
    (cd "$work" && exits "$expected" env PYTHONPATH="${source:-}" "$python" "$work/client.py" "$@" "$file" && exit 0
    echo "$why" >"$work/why" && exit 1) && return
    why=$(cat "$work/why")
    return 1
}

one_seed() {
    same 'seed as stoken reads it' "$(our_seed)" "$(stoken_seed "$file")" &&
        same 'serial as stoken reads it' "$(our_serial)" "$(stoken_field "$file" 'Serial number')"
}
provisions() { client 0 "$url" "$code" && one_seed; }
provisions_at_root() { client 0 "${url%/ctkip/*}/" "$code" && one_seed; }
a_new_one_each_time() {
    provisions || return
    local first
    first=$(our_serial)
    provisions || return
    why="the same serial number again: $first"
    [ "$first" != "$(our_serial)" ]
}

# The fault it knows: faultcode and faultstring as it raises them.
wrong_code() {
    client 1 "$url" 000000000000 || return
    why="it does not tell the fault: $(tail -n 1 "$work/stderr")"
    grep -q 'soapenv:Server.userException' "$work/stderr" &&
        grep -q 'Invalid authorization code\.' "$work/stderr"
}

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=interop authority' \
    -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj '/CN=server' -keyout "$work/leaf.key" -out "$work/leaf.csr" 2>/dev/null
openssl x509 -req -in "$work/leaf.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo 'subjectAltName=IP:127.0.0.1') -out "$work/leaf.pem" 2>/dev/null
openssl genrsa -out "$work/rsa.pem" 1024 2>/dev/null

sources=('')
[ -z "${RSA_CT_KIP_SRC:-}" ] || sources+=("$RSA_CT_KIP_SRC")
for source in "${sources[@]}"; do
    name="rsa_ct_kip ${source:+from RSA_CT_KIP_SRC}"
    [ -n "$source" ] || name='rsa_ct_kip 0.6.0'
    for bits in 1024 2048 3072; do
        ours --key-bits "$bits"
        check "$name, $bits bits" provisions
    done
    check "$name, at the root" provisions_at_root
    check "$name, a new token each time" a_new_one_each_time
    check "$name, wrong code" wrong_code
    check "$name, right code after a wrong one" provisions
    ours --key "$work/rsa.pem" --sessions sealed
    check "$name, a key of ours, sealed sessions" provisions
    ours --key-bits 1024 --misbehave deflate --misbehave chunked
    check "$name, compressed and in chunks" provisions
    ours --key-bits 1024 --tls-cert "$work/leaf.pem" --tls-key "$work/leaf.key"
    check "$name, TLS" provisions
    check "$name, TLS, wrong code" wrong_code
    unverified() { client 0 --no-verify "$url" "$code" && one_seed; }
    check "$name, TLS, certificate not looked at" unverified
done

#!/usr/bin/env bash
# The same exchange over TLS: which certificates are good enough.
. "$(dirname "$0")/lib.sh"
need stoken
need openssl
need_python

# An authority, and a certificate of it for NAME: leaf NAME SUBJECT-ALT-NAME.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=interop authority' \
    -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
leaf() {
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
    openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
        -extfile <(echo "subjectAltName=$2") -out "$work/$1.crt" 2>/dev/null
    cat "$work/$1.crt" "$work/$1.key" >"$work/$1.pem"
}
leaf here 'DNS:localhost,IP:127.0.0.1'
leaf elsewhere 'DNS:otp.example.com'

provisions() {
    local file=$work/token.sdtid
    rm -f "$file"
    exits 0 "$ctkip" provision "$@" -o "$file" && same seed "$(stoken_seed "$file")" "$(server_seed)"
}

# refused ARGUMENT…: a transport failure, before the server saw the code.
refused() {
    exits 3 "$ctkip" provision "$@" -o "$work/refused.sdtid" || return
    why='the server was sent a request'
    [ -z "$(logged hello)" ] || return
    why='a file was left behind'
    [ -z "$(find "$work" -name '*refused.sdtid*')" ]
}

serve --tls "$work/here.pem"
check 'refused: unknown authority' refused "https://127.0.0.1:$port/" 314159265358
check 'accepted: --ca-cert, by address' provisions "https://127.0.0.1:$port/" 314159265358 --ca-cert "$work/ca.pem"
check 'accepted: --ca-cert, by name' provisions "https://localhost:$port/" 314159265358 --ca-cert "$work/ca.pem"
check 'accepted: --insecure' provisions "https://127.0.0.1:$port/" 314159265358 --insecure
check 'accepted: a link with --ca-cert' provisions --ca-cert "$work/ca.pem" \
    "com.rsa.securid://ctkip?scheme=https&url=127.0.0.1:$port/ctkip/services/CtkipService&activationCode=314159265358"

serve --tls "$work/elsewhere.pem"
check 'refused: the name does not match' refused "https://127.0.0.1:$port/" 314159265358 --ca-cert "$work/ca.pem"
check 'accepted: another name with --insecure' provisions "https://127.0.0.1:$port/" 314159265358 --insecure

#!/usr/bin/env bash
# `ctkip provision` against the rsa_ct_kip server over HTTP: both ends arrive at one seed.
. "$(dirname "$0")/lib.sh"
need stoken
need openssl
need_python
file=$work/token.sdtid

# shows_seed SEED: `ctkip show --seed` has it, whatever the spacing and case.
shows_seed() {
    exits 0 "$ctkip" show "$file" --seed || return
    why="ctkip show --seed: no $1 in it"
    tr -d ' :\n' <"$work/stdout" | grep -qi "$1"
}

one_seed() {
    shows_seed "$(server_seed)" &&
        same 'seed as stoken reads it' "$(stoken_seed "$file")" "$(server_seed)" &&
        same 'serial as stoken reads it' "$(stoken_field "$file" 'Serial number')" "$(server_serial)"
}

provisions() { exits 0 "$ctkip" provision "$@" -o "$file" --force && one_seed; }

# took_code CODE: the server was sent this code with both requests of the last exchange.
took_code() {
    same 'code of both requests' "$1 $1" \
        "$(grep -E '^(hello|nonce) ' "$log" | tail -n 2 | cut -d ' ' -f 2 | paste -sd ' ')"
}

serve
url=http://127.0.0.1:$port
for run in 1 2 3 4 5; do
    check "provision, built-in 1024-bit key, run $run" provisions "$url/" 314159265358
done
check 'provision at the usual path' provisions "$url/ctkip/services/CtkipService" 314159265358

by_argument() { provisions "$url/" 000000000001 && took_code 000000000001; }
check 'code as an argument' by_argument

echo 000000000002 >"$work/code"
by_file() { provisions "$url/" --code-file "$work/code" && took_code 000000000002; }
check 'code from --code-file FILE' by_file

by_stdin() { provisions "$url/" --code-file - <<<000000000003 && took_code 000000000003; }
check 'code from --code-file -' by_stdin

by_environment() { CTKIP_CODE=000000000004 provisions "$url/" && took_code 000000000004; }
check 'code from CTKIP_CODE' by_environment

by_link() {
    provisions "com.rsa.securid://ctkip?scheme=http&url=127.0.0.1:$port&activationCode=000000000005" &&
        took_code 000000000005
}
check 'code from the link' by_link

for key in 1024:-3 2048:-F4 2048:-3 3072:-F4 4096:-F4; do
    openssl genrsa "${key#*:}" -out "$work/key.pem" "${key%:*}" 2>/dev/null
    serve --key "$work/key.pem"
    check "provision, ${key%:*}-bit key, exponent ${key#*:-}" provisions "http://127.0.0.1:$port/" 314159265358
done

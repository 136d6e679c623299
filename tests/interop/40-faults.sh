#!/usr/bin/env bash
# What goes wrong at the peer's end: wrong codes, no server, answers that do not arrive.
. "$(dirname "$0")/lib.sh"
need stoken
need_python
file=$work/token.sdtid

provision() { rm -f "$file"; exits "$1" "$ctkip" provision "http://127.0.0.1:$port/" "$2" -o "$file"; }
nothing_saved() { why="$file was left behind"; [ -z "$(find "$work" -name '*token.sdtid*')" ]; }
seed_saved() { same seed "$(stoken_seed "$file")" "$(server_seed)"; }

# nonces DISTINCT SENT: so many different ClientNonces in so many requests.
nonces() {
    same 'different ClientNonces' "$1" "$(logged nonce | sort -u | wc -l)" &&
        same 'ClientNonces sent' "$2" "$(logged nonce | wc -l)" &&
        same 'ClientHellos sent' 1 "$(logged hello | wc -l)"
}

# The server itself takes any code; this fault is a recorded one.
serve --only-code 314159265358
wrong_code() {
    provision 1 000000000000 && nothing_saved || return
    why="the server's reason is not on stderr: $(cat "$work/stderr")"
    grep -qF 'Invalid authorization code.' "$work/stderr"
}
check 'wrong code: refused, with the reason' wrong_code
right_code() { provision 0 314159265358 && seed_saved; }
check 'right code after a wrong one' right_code

kill "${servers[-1]}"
wait "${servers[-1]}" 2>/dev/null
no_server() { provision 3 314159265358 && nothing_saved; }
check 'connection refused' no_server

serve --lose 1
lost_once() { provision 0 314159265358 && seed_saved && nonces 1 2; }
check 'second answer lost once: the same ClientNonce again' lost_once

serve --lose 2
lost_twice() { provision 0 314159265358 && seed_saved && nonces 1 3; }
check 'second answer lost twice: the same ClientNonce again' lost_twice

serve --lose 1000
lost_always() { provision 6 314159265358 && nothing_saved && nonces 1 3; }
check 'second answer always lost: outcome unknown' lost_always

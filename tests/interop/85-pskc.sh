#!/usr/bin/env bash
# Tokens that `ctkip tokens export` wrote as PSKC (RFC 6030), read by python-pskc: the same seeds,
# under a password and under a key; and nothing of a file that was changed.
. "$(dirname "$0")/lib.sh"
need_python
store=$work/tokens.db
tokens=4

operate() { timeout 60 "$ctkip" "$@" --store "sqlite:$store" 2>"$work/stderr"; }

# A few tokens, of users whose names are not plain.
printf '%s\n' 'user,digits,interval' 'alice,8,60' 'Bjørn <b@example.com>,6,30' '"O""Neill & sons",8,30' 'dora,6,60' \
    >"$work/users.csv"
operate enrol --csv "$work/users.csv" --key-bits 1024 -o "$work/codes.csv" ||
    { fail "$group" "enrol: $(head -n 1 "$work/stderr")" && exit 1; }
"$ctkip" serve --store "sqlite:$store" --listen 127.0.0.1:0 >"$work/serve" 2>"$work/serve.err" &
servers+=($!)
for tries in $(seq 300); do
    url=$(awk '$1 == "URL" { print $2 }' "$work/serve")
    [ -n "$url" ] && break
    sleep 0.1
done
"$python" -c 'import csv, sys
for row in csv.DictReader(sys.stdin):
    print(row["serial"], row["code"])' <"$work/codes.csv" >"$work/codes"
while read -r serial code; do
    exits 0 "$ctkip" provision "$url" "$code" -o "$work/$serial.sdtid" ||
        { fail "$group" "provision: $why" && exit 1; }
done <"$work/codes"

printf 'correct horse battery staple' >"$work/password"
printf 'wrong horse battery staple' >"$work/wrong-password"
hex=000102030405060708090a0b0c0d0e0f
other=0f0e0d0c0b0a09080706050403020100
echo "$hex" >"$work/key"
operate tokens export --to pskc --password-file "$work/password" -o "$work/password.xml" &&
    operate tokens export --to pskc --key-file "$work/key" --key-name interop -o "$work/key.xml" &&
    operate tokens export --to json -o "$work/clear.json" ||
    { fail "$group" "export: $(head -n 1 "$work/stderr")" && exit 1; }

# The same fields as read_pskc.py prints, but for the algorithm. The user is a distinguished name there.
"$python" -c 'import json, re, sys
for token in json.load(sys.stdin):
    token["user"] = "CN=" + re.sub(r"""([\\"+,;<>])""", r"\\\1", token["user"])
    print(*(token[name] for name in ("serial", "user", "seed", "digits", "interval")), sep="\t")' \
    <"$work/clear.json" >"$work/clear"

read_pskc() { exits "$1" "$python" "$here/read_pskc.py" "${@:2}"; }
same_tokens() { # same_tokens FILE HOW SECRET
    read_pskc 0 "$@" || return
    why="$tokens tokens were expected: $(wc -l <"$work/stdout")"
    [ "$(wc -l <"$work/stdout")" = "$tokens" ] || return
    why="it reads other tokens: $(diff <(cut -f 1-5 "$work/stdout") "$work/clear" | head -n 2 | tr '\n' ' ')"
    diff -q <(cut -f 1-5 "$work/stdout") "$work/clear" >/dev/null
}
check 'python-pskc 1.4, a password' same_tokens "$work/password.xml" password "$work/password"
check 'python-pskc 1.4, a key' same_tokens "$work/key.xml" key "$hex"
check 'python-pskc 1.4, another password' read_pskc 3 "$work/password.xml" password "$work/wrong-password"
check 'python-pskc 1.4, another key' read_pskc 3 "$work/key.xml" key "$other"

# flip FILE TAG WHICH OCTET: the file with a bit of the octet flipped in the content of the element.
flip() {
    "$python" - "$@" >"$work/flipped.xml" <<'EOF'
import base64, re, sys
path, tag, which, octet = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
text = open(path, encoding="utf-8").read()
found = list(re.finditer(rf"<(?:\w+:)?{tag}>([^<]+)<", text))[which]
content = bytearray(base64.b64decode(found[1]))
content[octet] ^= 1
sys.stdout.write(text[: found.start(1)] + base64.b64encode(content).decode() + text[found.end(1) :])
EOF
}
flipped_is_refused() { # flipped_is_refused FILE HOW SECRET
    local file=$1 tag which octet flips=0
    shift
    for tag in CipherValue ValueMAC; do
        for which in 0 1 -1; do
            for octet in 0 -1; do
                flip "$file" "$tag" "$which" "$octet" || { why="no $tag" && return 1; }
                read_pskc 3 "$work/flipped.xml" "$@" || { why="$tag $which, octet $octet: $why" && return 1; }
                flips=$((flips + 1))
            done
        done
    done
    why="only $flips flips"
    [ "$flips" = 12 ]
}
check 'python-pskc 1.4, a flipped bit, a password' flipped_is_refused "$work/password.xml" password "$work/password"
check 'python-pskc 1.4, a flipped bit, a key' flipped_is_refused "$work/key.xml" key "$hex"

#!/usr/bin/env bash
# QR codes that ctkip draws, read back by zbarimg and by ctkip itself.
. "$(dirname "$0")/lib.sh"
need stoken
need zbarimg zbar-tools

token=$work/token.sdtid
"$ctkip" issue -o "$token" 2>/dev/null || { fail qr 'no token could be issued'; exit 0; }
link=$("$ctkip" export "$token" --to android)
check 'drawn as PNG' exits 0 "$ctkip" export "$token" --to qr --out "$work/token.png"
check 'read by zbarimg' same link "$link" "$(zbarimg --quiet --raw "$work/token.png" 2>/dev/null)"
check 'read by ctkip' exits 0 "$ctkip" tokencode "$work/token.png" --at 1800000000 --pin 0000 --force
check 'the same code' same code "$(cat "$work/stdout")" \
    "$(stoken tokencode --batch --force --file "$token" --use-time 1800000000 --pin 0000)"
check 'drawn as SVG' exits 0 "$ctkip" export "$token" --to qr --out "$work/token.svg"
check 'an SVG it is' grep -q '<svg' "$work/token.svg"
check 'drawn in the terminal' exits 0 "$ctkip" export "$token" --to qr

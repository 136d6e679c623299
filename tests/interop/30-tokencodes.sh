#!/usr/bin/env bash
# Token files of ctkip in the hands of stoken and python-securid: the same tokencodes.
. "$(dirname "$0")/lib.sh"
need stoken
need_python

# token NAME DIGITS INTERVAL SERVER-OPTION…: provisions $work/NAME.sdtid.
token() {
    local name=$1 digits=$2 interval=$3 file=$work/$1.sdtid
    shift 3
    serve --digits "$digits" --interval "$interval" "$@"
    check "$name: provisioned" exits 0 "$ctkip" provision "http://127.0.0.1:$port/" 314159265358 -o "$file"
    check "$name: digits" same digits "$digits" "$(stoken_field "$file" 'Tokencode digits')"
    check "$name: interval" same interval "$interval" "$(stoken_field "$file" 'Seconds per tokencode')"
}

# codes NAME [--no-pin]: the three programs agree on its codes.
codes() { "$python" "$here/tokencodes.py" --ctkip "$ctkip" --name "$@" "$work/$1.sdtid"; }

token 'empty user' 8 60
codes 'empty user'
token '8 digits a minute' 8 60 --user u00295
codes '8 digits a minute'
token '6 digits a minute' 6 60 --user u00295
codes '6 digits a minute'
token '8 digits a half minute' 8 30 --user u00295
codes '8 digits a half minute'
token '6 digits a half minute' 6 30 --user 'A. B. User'
codes '6 digits a half minute'
token 'no PIN to add' 8 60 --user u00295 --add-pin 0
codes 'no PIN to add' --no-pin

demo=$work/loopback.sdtid
check 'loopback: provisioned' exits 0 "$ctkip" provision loopback: -o "$demo"
codes loopback

# The command lines as a person types them; a minute may end between the first two.
now_agrees() {
    local before after theirs
    before=$("$ctkip" tokencode "$demo" --pin 0000)
    theirs=$(stoken --file "$demo" tokencode --pin 0000)
    after=$("$ctkip" tokencode "$demo" --pin 0000)
    same 'tokencode now' "$before" "$theirs" || same 'tokencode now' "$after" "$theirs"
}
check 'loopback: the code of this minute' now_agrees

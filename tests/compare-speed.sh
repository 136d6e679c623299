#!/usr/bin/env bash
# ctkip beside the programs it can replace: whole processes, started in turn (A B A B …),
# wall clock and CPU time. Prints a Markdown table.
#
#     tests/compare-speed.sh [PAIRS]     21 pairs, or so many
#
# `ctkip provision` against the rsa_ct_kip client, which saves through stoken, both against
# one rsa_ct_kip server that is started once and kept warm, over HTTP on the loopback
# interface, and both into a file that is not there yet; `ctkip tokencode` against `stoken tokencode`
# on one file.
# Exit status 1: a goal was missed (see interop/speed.py).
. "$(dirname "$0")/interop/lib.sh"
need stoken
need_python

serve --lifetime 600 --unobserved
token=$work/token.sdtid
# As it is when it is installed, like the peers: a file that was copied, not one fresh from the linker.
cp "$ctkip" "$work/ctkip"
ctkip=$work/ctkip
exits 0 "$ctkip" provision "http://127.0.0.1:$port/" 314159265358 -o "$token" || { fail compare-speed "$why"; exit 1; }
"$python" "$here/speed.py" --ctkip "$ctkip" --port "$port" --token "$token" --pairs "${1:-21}"

#!/usr/bin/env bash
# Puts ctkip beside the programs it has to get along with: the rsa_ct_kip server,
# stoken and python-securid.
#
#     tests/interop.sh [GROUP…]     every group, or those named (`provision`, `10-provision`)
#
# A group is an executable `interop/NN-name.sh` that sources `interop/lib.sh` and
# prints a line a check: `PASS name`, `FAIL name: why` or `SKIP name: why`. Adding a
# group is adding such a file. What a group needs it installs itself (apt-get, pip
# into target/interop/venv); what cannot be had is a SKIP, or a FAIL where CI=true.
#
# CTKIP=/path/to/ctkip tries that program instead of building this one.
set -u
here=$(cd "$(dirname "$0")" && pwd)

groups_named() { # groups_named [NAME…]: the scripts of these groups, or of all
    local name script found
    [ $# -gt 0 ] || printf '%s\n' "$here"/interop/[0-9]*.sh
    for name; do
        found=
        for script in "$here"/interop/[0-9]*-"${name#[0-9][0-9]-}".sh; do
            [ -e "$script" ] && found=1 && printf '%s\n' "$script"
        done
        [ -n "$found" ] || { echo "interop.sh: no group named $name" >&2; return 2; }
    done
}

scripts=$(groups_named "$@") || exit 2
if [ -z "${CTKIP:-}" ]; then
    CTKIP=$("$here/interop/build.sh") || exit 1
fi
export CTKIP

results=$(mktemp)
trap 'rm -f "$results" "$results.group"' EXIT

while read -r script; do
    group=$(basename "$script" .sh)
    echo "# $group"
    "$script" </dev/null | tee "$results.group"
    status=${PIPESTATUS[0]}
    grep -qE '^(PASS|FAIL|SKIP) ' "$results.group" || status="$status and no check"
    if [ "$status" != 0 ] && ! grep -q '^FAIL ' "$results.group"; then
        echo "FAIL $group: ended with status $status" | tee -a "$results.group"
    fi
    cat "$results.group" >>"$results"
done <<<"$scripts"

count() { grep -c "^$1 " "$results"; }
echo "$(count PASS) passed, $(count FAIL) failed, $(count SKIP) skipped"
[ "$(count FAIL)" = 0 ]

#!/usr/bin/env bash
# Removes one check at a time and shows that the test named for its requirement in
# docs/conformance.md fails.
#
#     tests/mutations.sh [ID…]     all of mutations.tsv, or those for these requirements
#
# A line a mutation: PASS when the test fails as it should. The tree stays as it is: everything
# happens in a copy under target/mutations, which is built once and then by increments.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}/mutations
copy=$target/tree
export CARGO_TARGET_DIR=$target/build CARGO_TERM_COLOR=never
mkdir -p "$copy"

# refresh: the copy is the tree again, and newer than whatever was built of it.
refresh() {
    (cd "$root" && git ls-files -z --cached --others --exclude-standard |
        tar --null --ignore-failed-read -T - -cf - 2>/dev/null) | tar -C "$copy" -mxf -
}

# passes TARGET TEST: the test is there, and passes. Output goes to $target/log.
passes() {
    (cd "$copy" && cargo test --quiet -p ctkip-tests --test "$1" -- --exact "$2") >"$target/log" 2>&1 &&
        grep -q '1 passed' "$target/log"
}

# mutate FILE SEARCH REPLACE: replaces a text that stands in the file exactly once.
mutate() {
    SEARCH=$2 REPLACE=$3 perl -0pi -e '$n = s/\Q$ENV{SEARCH}\E/$ENV{REPLACE}/g; END { exit($n == 1 ? 0 : 1) }' "$copy/$1"
}

refresh
failed=0 ran=0
result() { # result PASS|FAIL ID TEXT
    echo "$1 $2: $3"
    ran=$((ran + 1))
    [ "$1" = PASS ] || failed=$((failed + 1))
}

while IFS=$'\t' read -r id file search replace suite test; do
    case $id in '#'*) continue ;; esac
    [ $# -eq 0 ] || [[ " $* " == *" $id "* ]] || continue
    row=$(grep "^| $id |" "$root/docs/conformance.md")
    if [[ $row != *"::${test##*::}\`"* ]]; then
        result FAIL "$id" "its row does not name ${test##*::}"
    elif ! passes "$suite" "$test"; then
        result FAIL "$id" "$test does not pass as it is: $(grep -m 1 -E '^error|panicked' "$target/log")"
    elif ! mutate "$file" "$search" "$replace"; then
        result FAIL "$id" "the text to be replaced does not stand in $file exactly once"
    elif passes "$suite" "$test"; then
        result FAIL "$id" "$test passes without the check in $file"
    elif grep -q '^error' "$target/log" && ! grep -q 'test result: FAILED' "$target/log"; then
        result FAIL "$id" "the mutation does not compile: $(grep -m 1 '^error' "$target/log")"
    else
        result PASS "$id" "$test fails without the check in $file"
    fi
    cp "$root/$file" "$copy/$file"
done <"$root/tests/mutations.tsv"
echo "$((ran - failed)) of $ran mutations are noticed"
[ "$failed" = 0 ] && [ "$ran" -gt 0 ]

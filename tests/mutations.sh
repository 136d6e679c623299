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
copy=$target/tree log=$target/log
export CARGO_TARGET_DIR=$target/build CARGO_TERM_COLOR=never
mkdir -p "$copy"

# refresh: the copy is the tree again. Only what differs is touched, so only that is built again.
refresh() {
    (cd "$root" && git ls-files --cached --others --exclude-standard) | sort >"$target/files"
    (cd "$copy" && find . -type f | sed 's|^\./||') | sort | comm -13 "$target/files" - |
        while IFS= read -r file; do rm -f "$copy/$file"; done
    while IFS= read -r file; do
        [ -f "$root/$file" ] || continue
        cmp -s "$root/$file" "$copy/$file" || install -D -m 644 "$root/$file" "$copy/$file"
    done <"$target/files"
}

# outcome TARGET TEST: pass, fail, or what kept the test from running to its end.
outcome() {
    (cd "$copy" && timeout 600 cargo test --quiet -p ctkip-tests --test "$1" -- --exact "$2") \
        >"$log" 2>&1 </dev/null
    if grep -q '^test result: ok. 1 passed' "$log"; then
        echo pass
    elif grep -q '^test result: FAILED. 0 passed; 1 failed' "$log"; then
        echo fail
    elif grep -q '^test result: ok. 0 passed' "$log"; then
        echo "there is no such test"
    else
        grep -m 1 '^error' "$log" || echo "no result"
    fi
}

# mutate FILE SEARCH REPLACE: replaces a text that stands in the file exactly once.
mutate() {
    SEARCH=$2 REPLACE=$3 perl -0777 -pi -e \
        '$n = s/\Q$ENV{SEARCH}\E/$ENV{REPLACE}/g; END { exit($n == 1 ? 0 : 1) }' "$copy/$1"
}

# named ID TEST: the row of the requirement names the test.
named() {
    grep "^| $1 |" "$root/docs/conformance.md" | grep -qF "::${2##*::}\`"
}

# The rows as they are now: nobody waits with editing until this has run to its end.
rows=()
while IFS= read -r row; do
    case $row in '#'* | '') continue ;; esac
    [ $# -eq 0 ] || [[ " $* " == *" ${row%%$'\t'*} "* ]] || continue
    rows+=("$row")
done <"$root/tests/mutations.tsv"
refresh

# First without mutations, so that one build serves them all.
declare -A whole
for row in "${rows[@]}"; do
    IFS=$'\t' read -r _ _ _ _ suite test <<<"$row"
    [ -n "${whole[$suite::$test]-}" ] || whole[$suite::$test]=$(outcome "$suite" "$test")
done

noticed=0
for row in "${rows[@]}"; do
    IFS=$'\t' read -r id file search replace suite test <<<"$row"
    if [ -z "$test" ]; then
        echo "FAIL $id: its line has not six fields"
        continue
    elif ! named "$id" "$test"; then
        echo "FAIL $id: its row does not name ${test##*::}"
        continue
    elif [ "${whole[$suite::$test]}" != pass ]; then
        echo "FAIL $id: $test as it is: ${whole[$suite::$test]}"
        continue
    elif ! mutate "$file" "$search" "$replace"; then
        echo "FAIL $id: the text to be replaced does not stand in $file exactly once"
    else
        outcome=$(outcome "$suite" "$test")
        case $outcome in
        fail) echo "PASS $id: $test fails without the check in $file" && noticed=$((noticed + 1)) ;;
        pass) echo "FAIL $id: $test passes without the check in $file" ;;
        *) echo "FAIL $id: $test without the check in $file: $outcome" ;;
        esac
    fi
    install -m 644 "$root/$file" "$copy/$file"
done
echo "$noticed of ${#rows[@]} mutations are noticed"
[ "$noticed" = "${#rows[@]}" ] && [ "$noticed" -gt 0 ]

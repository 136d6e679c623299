#!/usr/bin/env bash
# Proves that ctkip-core and ctkip-token, without default features, need neither std nor libc:
# a freestanding program of theirs (no_std/) is linked without either, examined, and run through a
# handshake of both roles and a tokencode. It is also linked for a microcontroller, where that
# target can be had. Negative controls show that each check can fail.
#
#     tests/no_std.sh       a line a check; exit status 1 when one fails
set -u
cd "$(dirname "$0")/no_std" || exit 2
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/../../target}/no_std"
bare=thumbv7em-none-eabihf
host=$(rustc -vV | sed -n 's/^host: //p')
log=$(mktemp)
trap 'rm -f "$log" "$log.std"' EXIT
passed=0 failed=0 skipped=0

pass() { echo "PASS $1"; passed=$((passed + 1)); }
fail() { echo "FAIL $1: $2"; failed=$((failed + 1)); }
skip() { echo "SKIP $1: $2"; skipped=$((skipped + 1)); }

# build TARGET [OPTION…]: sets $program
build() {
    program=$CARGO_TARGET_DIR/$1/release/ctkip-freestanding
    cargo build --quiet --release --locked --target "$@" </dev/null >"$log" 2>&1
}

errors() { grep -m 1 '^error' "$log"; }

# What is in a program though it should not be: anything of std, anything undefined.
foreign() { nm --demangle "$1" | grep -E '(^|[^a-z_])std(\[|::)| [Uw] '; }

check_symbols() { # check_symbols NAME
    if ! nm "$program" | grep -q 'ctkip'; then
        fail "$1" "the program has no symbols to look at"
    elif foreign "$program" >"$log"; then
        fail "$1" "$(wc -l <"$log") symbols, the first: $(head -n 1 "$log")"
    else
        pass "$1"
    fi
}

# must_fail NAME EXPECTED TARGET OPTION…: the build fails, with this text
must_fail() {
    local name=$1 expected=$2
    shift 2
    if build "$@"; then
        fail "$name" "it builds"
    elif grep -qF "$expected" "$log"; then
        pass "$name"
    else
        fail "$name" "fails for another reason: $(errors)"
    fi
}

case $host in
x86_64-*-linux-*)
    if build "$host"; then
        pass "links without std and libc"
        check_symbols "has no symbol of std, and none undefined"
        status=0
        timeout 60 "$program" || status=$?
        if [ $status = 0 ]; then pass "runs the handshake of both roles in both profiles, and a tokencode"
        else fail "runs the handshake" "exit status $status (src/lib.rs lists what it means)"; fi
    else
        fail "links without std and libc" "$(errors)"
    fi
    must_fail "control: with ctkip-core's xml there is a std" panic_impl "$host" --features core-xml
    must_fail "control: with ctkip-token's xml there is a std" panic_impl "$host" --features token-xml
    ;;
*) skip "freestanding program" "its entry point is written for Linux on x86-64 only" ;;
esac

if echo 'fn main() { println!("{:?}", std::env::args()) }' | rustc -o "$log.std" - && foreign "$log.std" >/dev/null; then
    pass "control: std is found in a program that has it"
else
    fail "control: std is found in a program that has it" "it is not"
fi

if rustc --print target-libdir --target $bare >/dev/null 2>&1 && [ -d "$(rustc --print target-libdir --target $bare)" ] ||
    timeout 300 rustup target add $bare >"$log" 2>&1; then
    if build $bare; then
        pass "links for $bare"
        check_symbols "has no symbol of std, and none undefined, for $bare"
    else
        fail "links for $bare" "$(errors)"
    fi
    must_fail "control: ctkip-core's xml does not build for $bare" "can't find crate for \`std\`" $bare --features core-xml
    must_fail "control: ctkip-token's xml does not build for $bare" "can't find crate for \`std\`" $bare --features token-xml
else
    skip "$bare" "the target cannot be had: $(tail -n 1 "$log")"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]

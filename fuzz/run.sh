#!/usr/bin/env bash
# Runs every fuzz target, two at a time, from the corpus that is kept (corpus/TARGET).
#
#     fuzz/run.sh [RUNS [TARGET…]]      1000000 runs of each target
#
# Prints a line a target; exit status 1 when one found something or ran less than told. What was
# found is left in artifacts/TARGET. New inputs are thrown away unless CTKIP_FUZZ_KEEP names a
# folder for them. CTKIP_FUZZ_SEED (default 1) makes other runs.
#
# Without AddressSanitizer, which would take several times as long: there is no `unsafe` in the
# crates for it to watch. Overflow checks and debug assertions are on. Needs cargo-fuzz, which
# works on stable Rust with RUSTC_BOOTSTRAP=1.
set -u
cd "$(dirname "$0")" || exit 2
export RUSTC_BOOTSTRAP=1
runs=${1:-1000000}
shift
[ $# -gt 0 ] || set -- soap_body token_text sdtid xml_tree pdu
host=$(rustc -vV | sed -n 's/^host: //p')

cargo fuzz build --sanitizer none --target "$host" || exit 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fuzz() { # fuzz TARGET
    local target=$1 found=${CTKIP_FUZZ_KEEP:-$work}/$1 log=$work/$1.log status=0 ran seconds
    mkdir -p "$found" "artifacts/$target"
    "${CARGO_TARGET_DIR:-target}/$host/release/$target" -runs="$runs" -seed="${CTKIP_FUZZ_SEED:-1}" -max_len=8192 \
        -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=1 \
        -artifact_prefix="artifacts/$target/" "$found" "corpus/$target" </dev/null >"$log" 2>&1 || status=$?
    ran=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    seconds=$(sed -n 's/^Done .* runs in \([0-9]*\) second.*/\1/p' "$log")
    if [ $status = 0 ] && [ "${ran:-0}" -ge "$runs" ]; then
        echo "PASS fuzz $target: $ran runs in ${seconds:-?} s"
    else
        echo "FAIL fuzz $target: ${ran:-no} runs, exit status $status"
        grep -vE '^#|^INFO|^stat::|^ +#' "$log" | tail -n 30 | cut -c1-300
        return 1
    fi
}

failed=0
while [ $# -gt 0 ]; do
    workers=()
    for target in "${@:1:2}"; do
        fuzz "$target" &
        workers+=($!)
    done
    shift ${#workers[@]}
    for worker in "${workers[@]}"; do
        wait "$worker" || failed=1
    done
done
exit $failed

#!/usr/bin/env bash
# Builds ctkip as it is released and prints the path of the program.
set -eu
cd "$(dirname "$0")/../.."
cargo build --quiet --release --package ctkip-cli
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
test -x "$target/release/ctkip" || { echo "cargo made no $target/release/ctkip" >&2; exit 1; }
echo "$target/release/ctkip"

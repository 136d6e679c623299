#!/usr/bin/env bash
# Everything we send in RFC 4758's dialect against its schema, which is not ours to carry: it is
# looked for beside the clone.
. "$(dirname "$0")/lib.sh"
root=$(cd "$here/../.." && pwd)
schema=${CTKIP_SCHEMA:-$root/../shared/spec/ct-kip.xsd}
if [ ! -e "$schema" ]; then
    skip "$group" "the schema is not there: $schema (or name it in CTKIP_SCHEMA)"
    exit 0
fi
need xmllint libxml2-utils

(cd "$root" && cargo run --quiet --release -p ctkip-tests --example emitted -- "$work") >"$work/count" ||
    { fail "$group" "the messages cannot be written"; exit 1; }

# valid ROOT: every message of this kind is valid, and there are some.
valid() {
    local files
    files=$(grep -l "<ct-kip:$1 " "$work"/*.xml)
    why="none was written"
    [ -n "$files" ] || return
    # shellcheck disable=SC2086 # names without blanks
    why=$(xmllint --nonet --noout --schema "$schema" $files 2>&1 | grep -v ' validates$' | head -n 3)
    [ -z "$why" ]
}
for message in CT-KIPTrigger ClientHello ServerHello ClientNonce ServerFinished; do
    check "$message by the schema ($(grep -l "<ct-kip:$message " "$work"/*.xml | wc -l))" valid "$message"
done

# The control: what is not by the schema is told.
mkdir "$work/broken"
sed 's/ Version="1.0"//' "$work/hello-Abort.xml" >"$work/broken/message.xml"
tells() { ! xmllint --nonet --noout --schema "$schema" "$work/broken/message.xml" 2>/dev/null; }
check 'a message without Version is told' tells

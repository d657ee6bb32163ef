#!/usr/bin/env bash
# five_minutes_test.sh ROOT BUILD: follows README's section "A plugin in five minutes" word for word, in
# a home of its own. Its c and cmake blocks are the files, its sh blocks are run, each line of its plain
# blocks must appear in the log of `leasehold dev`, in that order. Prints TAP.
set -euo pipefail
root=$1 build=$2
home=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-five-minutes.XXXXXX")
log=$home/log
server="" number=0
# shellcheck disable=SC2317 # called by the trap
clean_up() {
    [ -z "$server" ] || kill -KILL "$server" 2> /dev/null || true
    rm -rf "$home"
}
trap clean_up EXIT
export HOME=$home
unset KUBECONFIG

# What the reader has: a built Leasehold. Only the ports are not the reader's, other tests run beside.
mkdir -p "$home/leasehold/build/bin" "$home/hello"
find "$build" -mindepth 1 -maxdepth 1 ! -name bin -exec ln -s {} "$home/leasehold/build/" ";"
cat > "$home/leasehold/build/bin/leasehold" << TXT
#!/bin/sh
exec "$build/bin/leasehold" "\$@" --listen 127.0.0.1:0
TXT
chmod +x "$home/leasehold/build/bin/leasehold"
cd "$home/hello"

good() { # NAME
    number=$((number + 1))
    echo "ok $number - $1"
}

bad() { # NAME FILE
    echo "not ok $((number + 1)) - $1"
    sed 's/^/# /' "$2"
    exit 1
}

# Ends when COMMAND succeeds; fails after 30 s, or when the server has ended.
await() { # COMMAND...
    local _
    for _ in $(seq 1500); do
        ! "$@" || return 0
        kill -0 "$server" || return 1
        sleep 0.02
    done
    return 1
}

lines_from() { # NUMBER TEXT; the number of the first line at or after NUMBER that has TEXT
    tail -n "+$1" "$log" | grep -n -m 1 -F -- "$2" | cut -d : -f 1
}

seen=1
follow() { # TEXT; true when the log has it after what was seen before
    local at
    at=$(lines_from "$seen" "$1") && [ -n "$at" ] && seen=$((seen + at))
}

run() { # FILE with an sh block; what follows `leasehold dev` goes on in the background
    local file=$1 line
    while IFS= read -r line; do
        if [[ $line == *"/leasehold dev "* ]]; then
            bash -c "exec $line" > "$log" 2>&1 < /dev/null &
            server=$!
            await test -s "$home/.leasehold-dev/kubeconfig" || bad "$line" "$log"
        else
            eval "$line" > "$home/output" 2>&1 || bad "$line" "$home/output"
        fi
        good "$line"
    done < "$file"
}

# Writes the section's blocks to files 01.LANGUAGE, 02.LANGUAGE...
mkdir "$home/blocks"
awk -v dir="$home/blocks" '
    /^## / { inside = $0 == "## A plugin in five minutes" }
    !inside { next }
    /^```/ {
        open = !open
        if (open)
            file = sprintf("%s/%02d.%s", dir, ++n, $0 == "```" ? "log" : substr($0, 4))
        next
    }
    open { print > file }' "$root/README.md"

for block in "$home"/blocks/*; do
    case ${block##*.} in
    c) cp "$block" hello.c ;;
    cmake) cp "$block" CMakeLists.txt ;;
    sh) run "$block" ;;
    log)
        while IFS= read -r line; do
            await follow "$line" || bad "the log says: $line" "$log"
            good "the log says: $line"
        done < "$block"
        ;;
    *) bad "a block of the language ${block##*.}" "$block" ;;
    esac
done
status=0
kill -INT "$server"
wait "$server" || status=$?
server=""
[ "$status" = 0 ] || bad "Ctrl-C ends it with status 0 # it was $status" "$log"
good "Ctrl-C ends it with status 0"
echo "1..$number"

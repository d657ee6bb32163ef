#!/usr/bin/env bash
# dev_test.sh ROOT: in which order ./dev test works, on a cmake and a ctest that only note that they were
# called. Prints TAP.
set -u
root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0 failed=0

stub() { # NAME; the script on stdin
    cat - > "$work/bin/$1"
    chmod +x "$work/bin/$1"
}

mkdir "$work/bin"
stub cmake << S
#!/bin/sh
[ "\$1" != --build ] || { echo build >> "$work/calls"; exit 1; }
echo configure >> "$work/calls"
S
stub ctest << S
#!/bin/sh
echo list >> "$work/calls"
case "\$*" in
*" -R lease"*) echo "  Test  #1: unit_lease_test" ;;
esac
S
stub dpkg-query <<< "#!/bin/sh
echo installed"
stub promtool <<< "#!/bin/sh"
cp "$root/dev" "$work/dev"

expect() { # NAME PATTERN CALLS LAST_LINE
    local output status=0 calls
    number=$((number + 1))
    rm -f "$work/calls"
    output=$(PATH=$work/bin:$PATH "$work/dev" test "$2" 2>&1) || status=$?
    calls=$(tr '\n' ' ' < "$work/calls")
    if [ "$status" = 1 ] && [ "$calls" = "$3 " ] && [ "$(tail -n 1 <<< "$output")" = "$4" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        echo "# status $status, expected 1; calls $calls, expected $3; expected as last line: $4"
        printf '# %s\n' "${output//$'\n'/$'\n'# }"
        failed=1
    fi
}

expect "a pattern that no program matches fails before anything is built" none \
    "configure list" "dev: no test program matches none"
expect "what matches is built after it was found" lease \
    "configure list build" "dev: preset release does not build"
echo "1..$number"
exit $failed

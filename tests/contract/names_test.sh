#!/usr/bin/env bash
# compare-names must notice a contract test that ran on one server only. Prints TAP.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0 failed=0

expect() { # NAME STATUS LAST_LINE
    local output status=0
    number=$((number + 1))
    output=$("$here/compare-names" "$work/names" "$work/cluster") || status=$?
    if [ "$status" = "$2" ] && [ "$(tail -n 1 <<< "$output")" = "$3" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        echo "# status $status, expected $2; expected as last line: $3"
        printf '# %s\n' "${output//$'\n'/$'\n'# }"
        failed=1
    fi
}

ran() { # FILE LINE...
    printf '%s\n' "${@:2}" > "$work/$1"
}

ran names "devapi_contract_a_test: one" "devapi_h2_contract_a_test: one" "unit_test: other"
ran cluster "e2e_test: other" "contract_a_test: one"
expect "equal lists are fine" 0 "1 passed, 0 failed"
ran cluster "contract_a_test: one" "contract_a_test: two"
expect "a test that ran on the real server only fails" 1 "2 passed, 2 failed"
ran cluster "contract_a_test: one"
ran names "devapi_contract_a_test: one" "devapi_contract_a_test: two" "devapi_h2_contract_a_test: one"
expect "a test that ran on devapi only fails" 1 "1 passed, 1 failed"
ran names "devapi_contract_a_test: one" "unit_test: other"
expect "a test that did not run behind nghttpx fails" 1 "1 passed, 1 failed"
ran names "unit_test: other"
ran cluster "e2e_test: other"
expect "no contract test at all fails" 1 "0 passed, 1 failed"
echo "1..$number"
exit $failed

#!/usr/bin/env bash
# headers_test.sh ROOT: each public header compiles alone as C11, C17 and C++17, without a warning, by
# gcc and by clang; it has at most 200 lines. Prints TAP, one line per header.
set -u
root=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
headers=("$root"/sdk/include/leasehold/*.h "$root"/sdk/testing/include/leasehold/*.h)
flags=(-Wall -Wextra -Wpedantic -Wshadow -Werror -fsyntax-only
    "-I$root/sdk/include" "-I$root/sdk/testing/include")
compilers=("gcc -x c -std=c11" "gcc -x c -std=c17" "g++ -x c++ -std=c++17"
    "clang -x c -std=c11" "clang -x c -std=c17" "clang++ -x c++ -std=c++17")

failed=0
number=0
echo "1..${#headers[@]}"
for header in "${headers[@]}"; do
    number=$((number + 1))
    name=$(basename "$header")
    : > "$work/log"
    printf '#include <leasehold/%s>\n' "$name" > "$work/t"
    for compiler in "${compilers[@]}"; do
        read -ra command <<< "$compiler"
        if ! command -v "${command[0]}" > /dev/null; then
            echo "${command[0]} is not installed" >> "$work/log"
        elif ! "${command[@]}" "${flags[@]}" "$work/t" >> "$work/log" 2>&1; then
            echo "($compiler)" >> "$work/log"
        fi
    done
    lines=$(wc -l < "$header")
    [ "$lines" -le 200 ] || echo "$lines lines, at most 200 are allowed" >> "$work/log"
    if [ -s "$work/log" ]; then
        echo "not ok $number - $name"
        sed 's/^/# /' "$work/log"
        failed=1
    else
        echo "ok $number - $name compiles alone"
    fi
done
exit $failed

# shellcheck shell=bash
# What every check in this folder shares. A check is a script that sources this file, defines
#   check      prints one line per finding about the tree in the current folder; no line, no finding
#   examples   shows by refuse and accept what the check must and must not find
# and ends with lint_main. The examples run first: a check that finds nothing in them fails.
set -euo pipefail

lint_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Prints the files of the tree whose path matches the extended regular expression.
files() { # REGEX
    local list
    if ! list=$(git -c safe.directory='*' ls-files --cached --others --exclude-standard 2> /dev/null) ||
        [ ! -e .git ]; then
        list=$(find . -type f -not -path './build*' | sed 's|^\./||')
    fi
    sort -u <<< "$list" | { grep -E "$1" || true; } | while read -r file; do
        [ ! -f "$file" ] || echo "$file"
    done
}

# The command, in the version that the rules were written for where several are installed.
tool() { # NAME
    command -v "$1-14" || command -v "$1" || {
        echo "lint: $1 is not installed" >&2
        return 1
    }
}

# Prints what the check finds in a tree that holds nothing but FILE, its text on standard input.
find_in_example() { # FILE
    local dir status=0
    dir=$(mktemp -d)
    mkdir -p "$dir/$(dirname "$1")"
    cat > "$dir/$1"
    cp "$lint_root/.clang-format" "$lint_root/.clang-tidy" "$dir"
    (cd "$dir" && check) || status=$?
    rm -rf "$dir"
    return "$status"
}

refuse() { # FILE, text on standard input
    local found
    found=$(find_in_example "$1")
    if [ -z "$found" ]; then
        echo "the check does not refuse its own bad example $1"
        exit 1
    fi
}

accept() { # FILE, text on standard input
    local found
    found=$(find_in_example "$1")
    if [ -n "$found" ]; then
        echo "the check refuses its own good example $1:"
        echo "$found"
        exit 1
    fi
}

lint_main() {
    local found status=0
    examples
    cd "$lint_root"
    found=$(check) || status=$?
    if [ -n "$found" ]; then
        echo "$found"
        exit 1
    fi
    [ "$status" = 0 ] || echo "the check ended with exit status $status"
    exit "$status"
}

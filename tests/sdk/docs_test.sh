#!/usr/bin/env bash
# docs_test.sh ROOT: a code block in README.md or docs/ that stands behind <!-- from FILE --> is, line by
# line, a part of that file. Prints TAP.
set -u
root=$1
failed=0
number=0

# Prints "document<TAB>file<TAB>block" per marked block, newlines of the block as \001.
blocks() {
    awk '
        /^<!-- from .* -->$/ { file = $3; next }
        file != "" && /^```/ { if (open) { print FILENAME "\t" file "\t" text; file = text = ""; open = 0 } else open = 1; next }
        file != "" && open { text = text $0 "\001"; next }
        file != "" && NF { print FILENAME "\t" file "\t(no code block follows)"; file = "" }
    ' "$@"
}

while IFS=$'\t' read -r document file block; do
    number=$((number + 1))
    name="${document#"$root"/} quotes $file"
    if [ -f "$root/$file" ] && [[ $(tr '\n' '\001' < "$root/$file") == *"$block"* ]]; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        tr '\001' '\n' <<< "$block" | sed 's/^/# /'
        failed=1
    fi
done < <(blocks "$root"/README.md "$root"/docs/*.md)
echo "1..$number"
if [ "$number" = 0 ]; then
    echo "not one block was found"
    failed=1
fi
exit $failed

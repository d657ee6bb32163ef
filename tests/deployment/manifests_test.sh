#!/usr/bin/env bash
# manifests_test.sh ROOT: the API server of $LEASEHOLD_TEST_KUBECONFIG takes the objects of
# examples/deployment as they are. Prints TAP.
set -u
root=$1
kubectl=(timeout 60 "${LEASEHOLD_TEST_KUBECTL:-kubectl}" "--kubeconfig=$LEASEHOLD_TEST_KUBECONFIG")
number=0 failed=0

# In a namespace of its own, which must be there even for a dry run.
ns=leasehold-manifests-$$
"${kubectl[@]}" create namespace "$ns" --save-config > /dev/null || exit 1
trap '"${kubectl[@]}" delete namespace "$ns" --wait=false > /dev/null' EXIT
for file in "$root"/examples/deployment/*.yaml; do
    [ "$(basename "$file")" != alerts.yaml ] || continue # no objects: read by promtool
    number=$((number + 1))
    name="the API server takes ${file#"$root"/}"
    if output=$(sed "s/namespace: leasehold\\b/namespace: $ns/; s/^metadata: {name: leasehold}$/metadata: {name: $ns}/" \
        "$file" | "${kubectl[@]}" apply --dry-run=server --validate=strict -f - 2>&1) &&
        ! grep '^Warning' <<< "$output"; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        printf '# %s\n' "${output//$'\n'/$'\n'# }"
        failed=1
    fi
done
echo "1..$number"
exit $failed

#!/usr/bin/env bash
# manifests_test.sh ROOT: the API server of $LEASEHOLD_TEST_KUBECONFIG takes the objects of
# examples/deployment as they are. Prints TAP.
set -u
root=$1
kubectl=(timeout 60 "${LEASEHOLD_TEST_KUBECTL:-kubectl}" "--kubeconfig=$LEASEHOLD_TEST_KUBECONFIG")
number=0 failed=0

# In a namespace of its own, which must be there even for a dry run.
ns=leasehold-manifests-$$
work=$(mktemp -d)
"${kubectl[@]}" create namespace "$ns" --save-config > /dev/null || exit 1
trap 'rm -rf "$work"; "${kubectl[@]}" delete namespace "$ns" --wait=false > /dev/null' EXIT
cp "$root"/examples/deployment/*.yaml "$work"
sed -i "s/^namespace: leasehold$/namespace: $ns/; s/^# - \([a-z-]*.yaml\)/- \1/" "$work/kustomization.yaml"

takes() { # NAME KUBECTL_ARGUMENT...
    local name=$1 output
    shift
    number=$((number + 1))
    if output=$("${kubectl[@]}" apply --dry-run=server --validate=strict "$@" 2>&1) &&
        ! grep '^Warning' <<< "$output"; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        failed=1
    fi
    printf '# %s\n' "${output//$'\n'/$'\n'# }"
}

takes "the API server takes examples/deployment with all that is commented out" -k "$work"
echo "1..$number"
exit $failed

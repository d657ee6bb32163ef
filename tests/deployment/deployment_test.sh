#!/usr/bin/env bash
# deployment_test.sh ROOT LEASEHOLD PLUGINS: examples/deployment, as far as it can be judged without a cluster.
# Prints TAP.
set -u
root=$1 leasehold=$2 plugins=$3
files=$root/examples/deployment
promtool=${LEASEHOLD_TEST_PROMTOOL:-promtool}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0 failed=0

expect() { # NAME COMMAND...
    local name=$1 output
    shift
    number=$((number + 1))
    if output=$("$@" 2>&1); then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        printf '# %s\n' "${output//$'\n'/$'\n'# }"
        failed=1
    fi
}

# Each metric that the alerts ask for has its row in docs/metrics.md.
metrics_are_documented() {
    local metric missing=0
    while read -r metric; do
        if ! grep -q "^| \`$metric\` |" "$root/docs/metrics.md"; then
            echo "docs/metrics.md has no metric $metric"
            missing=1
        fi
    done < <(grep -v '^ *\(summary\|description\|- alert\):' "$files/alerts.yaml" |
        grep -oE '\b(leader_election|leasehold|controller_runtime|workqueue)_[a-z_]+' | sort -u)
    return "$missing"
}

# The final image has the package of each library that the host is linked to.
image_has_the_libraries() {
    local library package missing=0
    local installed
    installed=$(sed -n '/^FROM debian:12-slim/,$p' "$files/Dockerfile")
    while read -r library; do
        package=$(dpkg-query -S "*/$library" | sed 's/:.*//' | sort -u | head -n 1)
        case $package in
        libc6 | libgcc* | libasan* | libubsan* | libtsan*) continue ;;
        esac
        if ! grep -qw -- "$package" <<< "$installed"; then
            echo "$library is of $package, which the Dockerfile does not install"
            missing=1
        fi
    done < <(readelf -d "$leasehold" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    return "$missing"
}

configuration_is_good() {
    env -i "$leasehold" config --check --config "$files/leasehold.yaml" --plugins "$plugins" \
        --set "stateDir=$work/state"
}

# Needs nothing but the configuration and the plugin files, and grants what is enabled.
rights_are_printed() {
    env -i "$leasehold" rbac --config "$files/leasehold.yaml" --plugins "$plugins" > "$work/rbac" &&
        grep -q '"leasehold:leasehold:leasehold-leader:mirror"' "$work/rbac" &&
        ! grep 'janitor' "$work/rbac"
}

# A build directory that is copied into the image names the paths of another machine.
image_is_built_from_sources_alone() {
    grep -qx 'build\*' "$root/.dockerignore" && grep -qx '\.git' "$root/.dockerignore"
}

expect "the alerts are rules" "$promtool" check rules "$files/alerts.yaml"
expect "each alert is raised when it should be" "$promtool" test rules "$root/tests/deployment/alerts_test.yaml"
expect "the alerts ask for metrics that there are" metrics_are_documented
expect "the image has the libraries of the host" image_has_the_libraries
expect "the image is built from sources alone" image_is_built_from_sources_alone
expect "the configuration is good" configuration_is_good
expect "the rights of what is enabled are printed" rights_are_printed
echo "1..$number"
exit $failed

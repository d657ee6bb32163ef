#!/usr/bin/env bash
# ./dev demo [--cluster]: two replicas of the host, from election to handover, on the embedded API
# server or, with --cluster, on a real kube-apiserver (built from source once, about ten minutes). It
# checks what it shows; exit status 0 when all of it was so. Takes about a minute.
# LEASEHOLD_TEST_BUILD names the build folder (default: build).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${LEASEHOLD_TEST_BUILD:-$root/build}
host=$build/bin/leasehold
plugin=$build/examples/website/website.so
ns=demo
unset KUBECONFIG

server=devapi
case $# in
0) ;;
*)
    [ "$*" = --cluster ] || {
        echo "usage: ./dev demo [--cluster]" >&2
        exit 2
    }
    server=cluster
    ;;
esac

# -- Telling --

bold="" dim="" green="" red="" plain=""
if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi
chapter=0 passed=0 failed=0

title() {
    chapter=$((chapter + 1))
    printf '\n%s%d. %s%s\n' "$bold" "$chapter" "$*" "$plain"
}

tell() {
    printf '   %s\n' "$*"
}

indent() {
    sed "s/^/   $dim| /; s/\$/$plain/"
}

good() {
    passed=$((passed + 1))
    printf '   %sok%s   %s\n' "$green" "$plain" "$*"
}

bad() {
    failed=$((failed + 1))
    printf '   %sFAILED%s   %s\n' "$red" "$plain" "$*"
}

# Runs the command; its success is the truth of the sentence.
check() { # SENTENCE COMMAND...
    local sentence=$1
    shift
    if "$@"; then good "$sentence"; else bad "$sentence"; fi
}

# Shows a kubectl command, runs it, shows what it prints.
show() {
    local word line="kubectl"
    for word in "$@"; do
        [[ $word != *[\ \{!]* ]] || word="'$word'"
        line+=" ${word#"$root"/}"
    done
    tell "$dim\$ $line$plain"
    k "$@" 2>&1 | indent || bad "kubectl has failed"
}

# -- Cleaning up, whatever happens --

dir=""
pids=()

clean_up() {
    local pid
    for pid in "${pids[@]}"; do
        kill -9 "$pid" 2> /dev/null || true
        wait "$pid" 2> /dev/null || true
    done
    if [ -n "$dir" ]; then
        [ "$server" != cluster ] || "$root/tests/cluster/down" "$dir/cluster" 2> /dev/null || true
        rm -rf "$dir"
    fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# -- Replicas --

write_config() { # NAME
    mkdir -p "$dir/$1/plugins"
    ln -s "$plugin" "$dir/$1/plugins/"
    cat > "$dir/$1/leasehold.yaml" << Y
name: $1
kubeconfig: $kubeconfig
stateDir: $dir/$1/state
namespaces: [$ns]
leaderElection: {id: demo, namespace: $ns, leaseDuration: 5s, renewDeadline: 3s, retryPeriod: 1s}
health: {address: "127.0.0.1:0"}
plugins: {dir: $dir/$1/plugins}
Y
}

start_replica() { # NAME; its process id is left in `started`
    write_config "$1"
    "$host" run --config "$dir/$1/leasehold.yaml" > "$dir/$1/log" 2>&1 < /dev/null &
    started=$!
    pids+=("$started")
}

# Waits until the log of a replica holds the text.
logged() { # NAME TEXT SECONDS
    local end=$((SECONDS + $3))
    until grep -qF "$2" "$dir/$1/log" 2> /dev/null; do
        [ "$SECONDS" -le "$end" ] || return 1
        sleep 0.02
    done
}

# Milliseconds since 1970 of the last line with the text.
time_of() { # NAME TEXT
    local stamp
    stamp=$(grep -F "$2" "$dir/$1/log" | tail -n 1 | cut -d ' ' -f 1)
    date -d "$stamp" +%s%3N
}

now_ms() {
    date +%s%3N
}

health() { # NAME PATH; prints the HTTP status
    local port
    port=$(sed -n 's/.*health and metrics on port \([0-9]*\).*/\1/p' "$dir/$1/log")
    curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' "http://127.0.0.1:$port$2" || true
}

answers() { # NAME PATH STATUS SECONDS
    local end=$((SECONDS + $4))
    until [ "$(health "$1" "$2")" = "$3" ]; do
        [ "$SECONDS" -le "$end" ] || return 1
        sleep 0.05
    done
}

# -- The API server --

k() {
    "$kubectl" --kubeconfig "$kubeconfig" --namespace "$ns" "$@"
}

# True once kubectl prints this for a JSONPath of an object.
becomes() { # OBJECT JSONPATH VALUE SECONDS
    local end=$((SECONDS + $4))
    until [ "$(k get "$1" -o "jsonpath=$2" 2> /dev/null)" = "$3" ]; do
        [ "$SECONDS" -le "$end" ] || return 1
        sleep 0.1
    done
}

exists() { # OBJECT SECONDS
    becomes "$1" '{.metadata.name}' "${1#*/}" "$2"
}

holder() {
    k get lease demo -o 'jsonpath={.spec.holderIdentity}'
}

start_devapi() {
    title "An API server"
    kubectl=kubectl
    dir=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-demo.XXXXXX")
    kubeconfig=$dir/api/kubeconfig
    "$host" dev --listen 127.0.0.1:0 --dir "$dir/api" > "$dir/api.log" 2>&1 < /dev/null &
    pids+=("$!")
    local end=$((SECONDS + 10))
    until [ -s "$kubeconfig" ]; do
        [ "$SECONDS" -le "$end" ] || {
            indent < "$dir/api.log"
            bad "the embedded API server starts"
            return
        }
        sleep 0.02
    done
    tell "\`leasehold dev\` is a Kubernetes API in memory, on loopback; all files are in $dir."
    show get namespaces
}

start_cluster() {
    title "A cluster"
    if ! "$root/tests/cluster/up" --built > /dev/null; then
        tell "etcd, kube-apiserver and kube-controller-manager are built from source: about ten minutes, once."
    fi
    kubectl=$("$root/tests/cluster/up" --build < /dev/null)/kubectl
    dir=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-demo.XXXXXX")
    "$root/tests/cluster/up" "$dir/cluster" < /dev/null > /dev/null
    kubeconfig=$dir/cluster/admin.kubeconfig
    tell "etcd, kube-apiserver and kube-controller-manager run on loopback; all files are in $dir."
    show version
}

prepare() {
    printf '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"%s"}}' "$ns" | k create -f - > /dev/null
    sed "s/namespace: default/namespace: $ns/" "$root/examples/website/website.yaml" > "$dir/website.yaml"
    tell "The kind Website (examples/website), and an empty Lease: nobody has to wait for a former holder."
    show apply -f "$root/examples/website/crd.yaml"
    k wait --for=condition=Established crd/websites.example.leasehold.dev --timeout=30s > /dev/null
    printf '{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"demo"}}' | k create -f - | indent
}

elect() {
    title "Two replicas, one leader"
    tell "Lease times of this demo: 5 s, 3 s, 1 s. The defaults are 15 s, 10 s, 2 s."
    start_replica anna
    anna=$started
    check "anna leads" logged anna "elector: leading" 10
    start_replica ben
    ben=$started
    check "ben is ready" answers ben /readyz 200 10
    check "ben does not lead" answers ben /leader 503 0
    check "the Lease names anna" test "$(holder)" = anna
    tell "anna's log:"
    tail -n 4 "$dir/anna/log" | cut -c 1-150 | indent
}

# PATCHes the status subresource. kubectl could do so since 1.24; Debian's is older.
play_kubelet() {
    local url
    url=$(k config view --minify -o 'jsonpath={.clusters[0].cluster.server}')
    k config view --minify --raw -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}' |
        base64 -d > "$dir/ca.crt"
    k config view --minify --raw -o 'jsonpath=header = "Authorization: Bearer {.users[0].user.token}"' |
        curl --silent --show-error --fail --config - --cacert "$dir/ca.crt" --output /dev/null \
            --request PATCH --header "Content-Type: application/merge-patch+json" \
            --data '{"status":{"replicas":2,"updatedReplicas":2,"readyReplicas":2,"availableReplicas":2}}' \
            "$url/apis/apps/v1/namespaces/$ns/deployments/hello/status" || bad "the status is written"
}

apply_website() {
    title "A Website"
    show apply -f "$dir/website.yaml"
    check "it has a ConfigMap" exists configmap/hello 10
    check "it has a Deployment" exists deployment/hello 10
    check "it has a Service" exists service/hello 10
    check "the Deployment belongs to it" becomes deployment/hello '{.metadata.ownerReferences[0].kind}' Website 2
    check "its status says that it is starting" becomes website/hello '{.status.conditions[0].reason}' Starting 5
    tell "No kubelet runs here. The demo plays its part and says that both Pods are ready."
    play_kubelet
    check "its status says that it is serving" becomes website/hello '{.status.conditions[0].reason}' Serving 5
    show get website,deployment,service,configmap
}

take_over() {
    local killed took
    title "The leader is killed (SIGKILL)"
    killed=$(now_ms)
    kill -9 "$anna"
    wait "$anna" 2> /dev/null || true
    tell "anna is gone and could not say so. Meanwhile somebody deletes the ConfigMap:"
    show delete configmap hello
    check "ben leads" logged ben "elector: leading" 15
    took=$(($(time_of ben "elector: leading") - killed))
    check "takeover after $took ms: not before the Lease ran out (5 s after its last renewal), not much later" \
        test "$took" -ge 3500 -a "$took" -le 7000
    check "ben has made the ConfigMap again" exists configmap/hello 5
    check "the Lease names ben" test "$(holder)" = ben
}

hand_over() {
    local told took status=0
    title "The leader is stopped (SIGTERM)"
    start_replica carla
    check "carla stands by" answers carla /readyz 200 10
    tell "ben is told to stop. It finishes what it is doing, gives the Lease back and marks it as released."
    told=$(now_ms)
    kill -TERM "$ben"
    check "carla leads" logged carla "elector: leading" 10
    took=$(($(time_of carla "elector: leading") - told))
    check "handover after $took ms" test "$took" -le 1000
    wait "$ben" || status=$?
    check "ben has ended with status 0" test "$status" = 0
    show patch website hello --type=merge -p '{"spec":{"html":"<p>carla was here</p>"}}'
    check "carla reconciles" becomes configmap/hello '{.data.index\.html}' '<p>carla was here</p>' 5
    tell "carla's log:"
    tail -n 5 "$dir/carla/log" | cut -c 1-150 | indent
}

go_on() {
    [ "$server" = devapi ] || return 0
    cat << TXT
Go on by hand, each in a terminal of its own:
   build/bin/leasehold dev     and in the others: export KUBECONFIG=... as it says
   kubectl apply -f examples/website/crd.yaml && build/bin/leasehold run --plugins build/examples/website
   kubectl apply -f examples/website/website.yaml && kubectl get website,deployment,service -w

TXT
}

verdict() {
    echo
    if [ "$failed" = 0 ]; then
        go_on
        printf '%sdev demo: fine%s; %d checks in %d s\n' "$green" "$plain" "$passed" "$SECONDS"
        return 0
    fi
    for name in anna ben carla; do
        [ ! -f "$dir/$name/log" ] || sed "s/^/$name: /" "$dir/$name/log"
    done
    printf '%sdev demo: FAILED%s; %d of %d checks\n' "$red" "$plain" "$failed" $((passed + failed))
    return 1
}

for file in "$host" "$plugin"; do
    [ -x "$file" ] || {
        echo "demo: $file is missing: run ./dev build" >&2
        exit 1
    }
done
printf '%sLeasehold%s: controllers in one host, with one Lease\n' "$bold" "$plain"
"start_$server"
[ "$failed" != 0 ] || prepare
for scene in elect apply_website take_over hand_over; do
    "$scene"
    [ "$failed" = 0 ] || break
done
verdict

#!/usr/bin/env bash
# ./dev demo: the main job, on a real kube-apiserver. Two replicas elect a leader through a Lease, the
# leader alone reconciles a Website, is killed, and its successor hands over. Checks itself; exits with 0
# only when everything was seen.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
unset KUBECONFIG

if [ $# -gt 0 ]; then
    echo "usage: ./dev demo" >&2
    exit 2
fi

if [ -t 1 ]; then
    bold=$(tput bold 2> /dev/null || true) dim=$(tput dim 2> /dev/null || true) off=$(tput sgr0 2> /dev/null || true)
else
    bold="" dim="" off=""
fi
chapter=0
tell() { # a chapter
    chapter=$((chapter + 1))
    printf '\n%s%d. %s%s\n' "$bold" "$chapter" "$*" "$off"
}
say() {
    printf '   %s\n' "$*"
}
show() { # the output of a command, indented
    printf '   %s$ %s%s\n' "$dim" "$*" "$off"
    "$@" | sed 's/^/     /'
}
give_up() {
    printf '\ndemo: FAILED: %s\n' "$*" >&2
    for log in "$work"/*.log; do
        [ ! -f "$log" ] || { echo "-- the end of ${log##*/}:"; tail -n 15 "$log"; } >&2
    done
    exit 1
}

work=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-demo.XXXXXX")
declare -A pids=() # of the replicas, by name
clean_up() {
    local pid
    for pid in "${pids[@]}"; do kill -9 "$pid" 2> /dev/null || true; done
    [ ! -d "$work/cluster" ] || tests/cluster/down "$work/cluster" > /dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

now_ms() {
    local t=${EPOCHREALTIME/[.,]/}
    echo $((t / 1000))
}

# Runs a command every 20 ms until it succeeds, at most SECONDS.
wait_for() { # SECONDS COMMAND...
    local until=$(($(now_ms) + $1 * 1000))
    shift
    until "$@" > /dev/null 2>&1; do
        [ "$(now_ms)" -lt "$until" ] || return 1
        sleep 0.02
    done
}

kubectl() {
    "$kubectl" --kubeconfig "$work/cluster/admin.kubeconfig" "$@"
}

holder() {
    kubectl get lease demo -o 'jsonpath={.spec.holderIdentity}'
}

# The health port that a replica has logged.
port_of() { # NAME
    sed -n 's/.*health and metrics on port \([0-9]*\).*/\1/p' "$work/$1.log" | tail -n 1
}

# One GET without curl, which need not be installed.
health() { # NAME PATH
    local port
    port=$(port_of "$1") && [ -n "$port" ] || return 1
    exec 3<> "/dev/tcp/127.0.0.1/$port" || return 1
    printf 'GET %s HTTP/1.1\r\nHost: demo\r\n\r\n' "$2" >&3
    timeout 2 cat <&3 | tr -d '\r'
    exec 3>&-
}

answers() { # NAME PATH STATUS
    [ "$(health "$1" "$2" | sed -n '1s/^HTTP\/1.1 \([0-9]*\).*/\1/p')" = "$3" ]
}

start_replica() { # NAME
    mkdir -p "$work/$1"
    build/bin/leasehold run --name "$1" --kubeconfig "$work/cluster/admin.kubeconfig" --plugins "$work/plugins" \
        --health 127.0.0.1:0 --set stateDir="$work/$1" --set leaderElection.id=demo \
        --set leaderElection.namespace=default --set leaderElection.leaseDuration=5s \
        --set leaderElection.renewDeadline=3s --set leaderElection.retryPeriod=1s 2> "$work/$1.log" &
    pids[$1]=$!
    disown
    wait_for 10 answers "$1" /readyz 200 || give_up "replica $1 is not ready"
}

# -- The story --

echo "${bold}Leasehold, on a real kube-apiserver${off}"
if ! tests/cluster/up --built > /dev/null 2>&1; then
    say "The test cluster (etcd, kube-apiserver, kube-controller-manager, kubectl) is built from source now."
    say "That takes about ten minutes, once."
fi
kubectl=$(tests/cluster/up --build < /dev/null)/kubectl || give_up "the test cluster does not build"

tell "A cluster"
tests/cluster/up "$work/cluster" < /dev/null > "$work/cluster.log" 2>&1 || give_up "the cluster does not start"
say "kube-apiserver $(kubectl version -o json | sed -n 's/.*"gitVersion": "\(.*\)".*/\1/p' | tail -n 1) and etcd run on loopback."
mkdir "$work/plugins"
cp build/examples/website/website.so "$work/plugins/"
show build/bin/leasehold plugins ls --plugins "$work/plugins"
kubectl apply -f examples/website/crd.yaml > /dev/null
kubectl wait --for=condition=Established --timeout=20s crd/websites.example.leasehold.dev > /dev/null
# An empty Lease: the first candidate need not wait for one that may have been deleted (docs/election.md).
kubectl create -f - > /dev/null << 'L'
{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "demo", "namespace": "default"}}
L

tell "Two replicas, one Lease (5 s, renewed every second)"
start_replica ada
start_replica bob
wait_for 10 test -n "$(holder)" || give_up "nobody has acquired the Lease"
wait_for 5 answers ada /leader 200 || give_up "ada does not lead"
answers bob /leader 503 || give_up "bob believes that it leads"
say "holder of the Lease: $(holder). ada leads; bob is ready and dormant, with one watch on the Lease."

tell "The leader reconciles"
show kubectl apply -f examples/website/website.yaml
wait_for 10 kubectl get deployment,service,configmap hello || give_up "the children of the Website did not appear"
show kubectl get website,deployment,service,configmap -l 'app.kubernetes.io/name=hello' --ignore-not-found
say "No kubelet runs here, so the demo plays its part and reports two ready pods:"
kubectl patch deployment hello --subresource=status --type=merge \
    -p '{"status": {"replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "updatedReplicas": 2, "observedGeneration": 1}}' > /dev/null
kubectl wait --for=condition=Ready --timeout=10s website/hello > /dev/null || give_up "the Website's status did not follow"
show kubectl get website hello

tell "The leader is killed (SIGKILL)"
start=$(now_ms)
kill -9 "${pids[ada]}"
is_bobs() { [ "$(holder)" = bob ]; }
wait_for 15 is_bobs || give_up "bob did not take over"
takeover=$(($(now_ms) - start))
wait_for 5 answers bob /leader 200 || give_up "bob holds the Lease but does not lead"
say "bob leads after $takeover ms: it waited until the dead leader's lease had run out."
kubectl delete deployment hello > /dev/null
wait_for 10 kubectl get deployment hello || give_up "bob does not reconcile: the deleted Deployment did not come back"
say "A Deployment deleted by hand came back: bob reconciles."

tell "The new leader is told to stop (SIGTERM)"
start_replica cid
start=$(now_ms)
kill -TERM "${pids[bob]}"
is_cids() { [ "$(holder)" = cid ]; }
wait_for 10 is_cids || give_up "cid did not take over"
seen=$(($(now_ms) - start))
wait_for 10 grep -q ' stopped$' "$work/bob.log" || give_up "bob did not end"
# The replicas' own clocks tell it finer than asking kubectl does.
stamp() { date -u -d "$(grep -m 1 "$2" "$work/$1.log" | cut -d ' ' -f 1)" +%s%3N; }
handover=$(($(stamp cid 'elector: leading') - $(stamp bob 'SIGTERM: stopping')))
say "cid leads $handover ms after the signal (kubectl saw it after $seen ms): the Lease was released, marked as such."
wait_for 5 answers cid /leader 200 || give_up "cid holds the Lease but does not lead"
kubectl delete website hello --timeout=20s > /dev/null || give_up "the Website's finalizer did not run"
say "The Website was deleted; its finalizer ran under cid."

[ "$handover" -lt 2000 ] || give_up "the handover took $handover ms"
echo
echo "${bold}demo: fine${off}; takeover after SIGKILL $takeover ms, handover after SIGTERM $handover ms"

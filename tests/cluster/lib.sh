# shellcheck shell=bash
# Shared by up, down, restart, second and compact; sourced, never run.
# DIR/ports and DIR/api.flags keep what `up` chose, so that the others need only DIR.

cluster_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cluster_cache=${CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/leasehold-cluster}

# What the hash covers: the four programs and nothing of these scripts, which may change freely.
cluster_key() {
    (cd "$cluster_here" && sha256sum go.mod go.sum {etcd,kube-apiserver,kube-controller-manager,kubectl}/main.go) |
        sha256sum | cut -c1-16
}

cluster_bin() {
    echo "$cluster_cache/$(cluster_key)"
}

die() {
    echo "$*" >&2
    exit 1
}

# Prints a go command of at least 1.26: the one on PATH, or the toolchain module fetched with it
# (its files come without run bits).
find_go() {
    local want dir
    command -v go > /dev/null || die "no go command found: install one (Debian: golang-go)"
    if [ "$(printf '%s\n' go1.26 "$(go env GOVERSION)" | sort -V | head -n 1)" = go1.26 ]; then
        command -v go
        return
    fi
    if [ ! -x "$cluster_cache/go/bin/go" ]; then
        want=v0.0.1-go1.26.8.linux-$(dpkg --print-architecture)
        mkdir -p "$cluster_cache/toolchain"
        cd "$cluster_cache/toolchain" || return
        printf 'module leasehold.dev/toolchain\n' > go.mod
        go mod download "golang.org/toolchain@$want" >&2
        dir=$(go env GOMODCACHE)/golang.org/toolchain@$want
        rm -rf "$cluster_cache/go.tmp"
        cp -r "$dir" "$cluster_cache/go.tmp"
        chmod -R u+w "$cluster_cache/go.tmp"
        chmod u+x "$cluster_cache/go.tmp"/bin/* "$cluster_cache/go.tmp"/pkg/tool/*/*
        mv "$cluster_cache/go.tmp" "$cluster_cache/go"
    fi
    echo "$cluster_cache/go/bin/go"
}

# Builds the Go program of FOLDER, once, and prints its path.
go_program() { # FOLDER NAME
    local program go
    program=$cluster_cache/$2-$(cd "$1" && cat go.mod go.sum ./*.go | sha256sum | cut -c1-16)
    mkdir -p "$cluster_cache"
    (
        flock 9
        [ ! -x "$program" ] || exit 0
        go=$(find_go)
        (cd "$1" && env -u GOROOT "$go" build -o "$program.tmp" .) >&2
        rm -f "$cluster_cache/$2"-????????????????
        mv "$program.tmp" "$program"
    ) 9> "$cluster_cache/$2.lock"
    echo "$program"
}

# True while a thread of the process runs: a zombie whose parent never waits does not, but a killed
# process whose first thread is one already may still hold its ports.
alive() { # PID
    grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1"/task/*/status
}

ended() { # PID SECONDS
    for _ in $(seq "$(($2 * 10))"); do
        alive "$1" || return 0
        sleep 0.1
    done
    return 1
}

# Stops the process of DIR/NAME.pid and waits for its end: TERM first, KILL after three seconds (with
# a watch open, kube-apiserver would wait for a minute).
stop_process() { # DIR NAME
    local pid
    pid=$(cat "$1/$2.pid" 2> /dev/null) || return 0
    if kill "$pid" 2> /dev/null; then
        ended "$pid" 3 || kill -9 "$pid" 2> /dev/null || true
        ended "$pid" 30 || die "$2, process $pid, does not end"
    fi
    rm -f "$1/$2.pid"
}

# Prints a free port below the kernel's own range, so that no outgoing connection takes it before
# the server does.
free_port() {
    local port
    for _ in $(seq 100); do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if ! (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
            echo "$port"
            return
        fi
    done
    die "no free port between 20000 and 32000"
}

# Reads DIR/ports into etcd_port, peer_port, api_port and kcm_port.
load_ports() { # DIR
    [ -f "$1/ports" ] || die "$1 holds no cluster: start one with 'up $1'"
    # shellcheck disable=SC2034,SC2162
    read -r etcd_port peer_port api_port kcm_port < "$1/ports"
}

# Starts an API server of DIR, NAME.pid and NAME.log, on the port; returns once /readyz is 200, fails
# when it ends before or after 60 s.
start_server() { # DIR NAME PORT
    local dir=$1 name=$2 port=$3 bin flags=()
    bin=$(cluster_bin)
    load_ports "$dir"
    mapfile -t flags < "$dir/api.flags"
    cd "$dir" || return 1
    setsid "$bin/kube-apiserver" --etcd-servers="http://127.0.0.1:$etcd_port" \
        --bind-address=127.0.0.1 --secure-port="$port" --cert-dir="$dir/pki" \
        --service-account-key-file=sa.key --service-account-signing-key-file=sa.key \
        --service-account-issuer=https://kubernetes.default.svc --token-auth-file=tokens.csv \
        --client-ca-file=client-ca.crt \
        --authorization-mode=RBAC --service-cluster-ip-range=10.0.0.0/24 \
        --audit-policy-file=audit.yaml --audit-log-path="${name/#api/audit}.log" "${flags[@]}" \
        >> "$name.log" 2>&1 < /dev/null &
    echo $! > "$name.pid"
    for _ in $(seq 300); do
        if "$bin/kubectl" --kubeconfig admin.kubeconfig --server "https://127.0.0.1:$port" \
            get --raw /readyz > /dev/null 2>&1; then
            return 0
        fi
        if ! alive "$(cat "$name.pid")"; then
            echo "kube-apiserver ended; the end of $dir/$name.log:" >&2
            tail -n 5 "$name.log" >&2
            return 1
        fi
        sleep 0.2
    done
    echo "kube-apiserver not ready after 60 s; see $dir/$name.log" >&2
    return 1
}

# The first API server of DIR.
start_api() { # DIR
    load_ports "$1"
    start_server "$1" api "$api_port"
}

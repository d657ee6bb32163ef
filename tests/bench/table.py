"""Results as tables: the medians, the ratio to the better peer, and the goal of a row."""

PEERS = ("controller-runtime", "kube-rs")

# The most that leasehold's ratio to the better peer may be, by scenario (the beginning of its name) and row.
GOALS = {
    "sync-config": {"peak_rss_mb": 1 / 8, "cpu_s_all_reconciled": 1 / 3, "sync_s": 1},
    "sync-random": {"peak_rss_mb": 1 / 5, "cpu_s_all_reconciled": 1 / 3, "sync_s": 1},
    "sync-widgets": {"peak_rss_mb": 1 / 8, "cpu_s_all_reconciled": 1 / 3, "sync_s": 1},
    "events": {"cpu_us_per_event": 1 / 3, "p50_us": 1, "p99_us": 1},
    "child": {"create_cpu_us_per_reconcile": 1 / 3, "update_cpu_us_per_reconcile": 1 / 3, "create_s": 1, "update_s": 1},
    "fleet": {"n20_pss_mb": 1 / 30},
    "idle": {"private_mb": 1},
}
# The most that leasehold's own figure may be, where a ratio says nothing; "floor": as a multiple of the floor's.
LIMITS = {"fleet": {"n20_idle_cpu_ms_per_min": 5, "n20_watches": 1}, "idle": {"idle_cpu_ms_per_min": 2}}
FLOOR_LIMITS = {"events": {"cpu_us_per_event": 1.3}}

# Rows that have no better and worse, also with a prefix (n20_, create_).
NEUTRAL = {"want", "objects", "reconciles", "sent", "seen", "rate", "errors", "patch_p50_us", "patch_p99_us", "wire_mb",
           "children_ok", "load_s", "processes"}

TEXT = {
    "want": "objects at the server", "objects": "objects in the cache", "reconciles": "reconciles",
    "sync_s": "exec to synced, s", "reconciled_s": "exec until all are reconciled, s",
    "cpu_s_at_sync": "CPU until synced, s", "cpu_s_all_reconciled": "CPU until all are reconciled, s",
    "peak_rss_mb": "peak RSS, MiB", "rest_rss_mb": "RSS at rest, MiB", "rss_mb": "RSS, MiB", "pss_mb": "PSS, MiB",
    "private_mb": "private memory, MiB", "anonymous_mb": "of it anonymous, MiB", "wire_mb": "received, MB",
    "server_cpu_s": "server CPU until synced, s",
    "idle_cpu_ms_per_min": "idle CPU, ms a minute", "server_idle_cpu_ms_per_min": "server's idle CPU, ms a minute",
    "cpu_us_per_event": "CPU an event, us", "p50_us": "latency p50, us", "p99_us": "latency p99, us",
    "max_us": "latency max, us", "patch_p50_us": "loader's own patch p50, us", "patch_p99_us": "loader's own patch p99, us",
    "server_cpu_us_per_event": "server CPU an event, us", "s": "until every child is right, s",
    "load_s": "until the loader has written, s", "children_ok": "children right",
    "cpu_us_per_reconcile": "CPU a reconcile, us", "cpu_us_per_parent": "CPU a parent, us",
    "server_cpu_us_per_parent": "server CPU a parent, us", "all_synced_s": "all synced, s",
    "server_cpu_s_sync": "server CPU until all synced, s", "watches": "watches open", "lists": "lists at start",
    "processes": "processes", "threads": "threads", "connections": "connections",
    "kill_s": "SIGKILL to the next leading, s", "kill_to_synced_s": "SIGKILL to synced, s",
    "term_s": "SIGTERM to the next leading, s", "term_to_synced_s": "SIGTERM to synced, s",
}


def ratios(medians):
    """{program: {row: its median divided by that of the better peer}}."""
    result = {}
    for name, rows in medians.items():
        result[name] = {}
        for row, value in rows.items():
            peers = [medians[p][row] for p in PEERS if medians.get(p, {}).get(row) is not None]
            if row not in NEUTRAL and row.partition("_")[2] not in NEUTRAL and value is not None and peers and min(peers) > 0:
                result[name][row] = value / min(peers)
    return result


def _by_scenario(table, scenario):
    for beginning, rows in table.items():
        if scenario == beginning or scenario.startswith(beginning + "-"):
            return rows
    return {}


def verdicts(scenario, medians):
    """[(row, what was reached, the goal, whether it was)] for leasehold."""
    ours, ratio, result = medians.get("leasehold", {}), ratios(medians).get("leasehold", {}), []
    for row, goal in _by_scenario(GOALS, scenario).items():
        if row in ratio:
            result.append((row, f"{ratio[row]:.2f} of the better peer", f"{goal:.3g}", ratio[row] <= goal))
    for row, goal in _by_scenario(LIMITS, scenario).items():
        if row in ours:
            result.append((row, show(ours[row]), f"at most {goal}", ours[row] <= goal))
    for row, goal in _by_scenario(FLOOR_LIMITS, scenario).items():
        floor = medians.get("floor", {}).get(row)
        if floor and row in ours:
            result.append((row, f"{ours[row] / floor:.2f} of the floor", f"{goal:.3g}", ours[row] <= goal * floor))
    return result


def show(value):
    if value is None:
        return "-"
    if not isinstance(value, float) or value == int(value):
        return str(int(value))
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def text_of(row):
    """The words of a row; n20_ and create_ become the words' prefix."""
    prefix, _, rest = row.partition("_")
    if row not in TEXT and rest in TEXT:
        return f"{prefix.removeprefix('n')}: {TEXT[rest]}"
    return TEXT.get(row, row)


def medians_of(record):
    return {name: program["median"] for name, program in record["programs"].items()}


def markdown(record):
    """The table of one scenario: medians, then leasehold's ratio to the better peer."""
    medians = medians_of(record)
    names = [name for name in medians if medians[name]]
    ratio = ratios(medians).get("leasehold", {})
    lines = [f"| {record['scenario']} | " + " | ".join(names) + " | ratio |", "|---|" + "---:|" * (len(names) + 1)]
    rows = []
    for name in names:
        rows += [row for row in medians[name] if row not in rows]
    for row in rows:
        cells = [show(medians[name].get(row)) for name in names]
        lines.append(f"| {text_of(row)} | " + " | ".join(cells) + f" | {f'{ratio[row]:.2f}' if row in ratio else ''} |")
    return "\n".join(lines)

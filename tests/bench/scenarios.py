"""The scenarios: each runs one program once and returns its figures as a flat dict."""
import signal, time

from program import Program, tree


class Bench:
    """What a scenario needs: the loader, the server's processes, and the scenario's own parameters."""

    def __init__(self, loader, server, params):
        self.loader, self.server, self.params = loader, server, params

    def __getattr__(self, name):
        return self.params[name]

    def load(self, command, **flags):
        return self.loader(command, resource=self.resource, **flags)

    def start(self, spec, tag="", **env):
        workers = {"BENCH_WORKERS": str(self.workers)} if self.workers else {}
        return Program(spec["name"] + tag, spec["command"],
                       {"BENCH_RESOURCE": self.resource, "BENCH_MODE": "observe", "BENCH_LEASE": "",
                        **self.server.env(), **workers, **env})

    def settle(self, programs=(), limit=120):
        """Waits until programs and servers are quiet: under 15 % of a core over 2 s."""
        end = time.time() + limit
        while time.time() < end:
            before = sum(p.cpu() for p in programs) + self.server.cpu()
            time.sleep(self.quiet_seconds)
            if sum(p.cpu() for p in programs) + self.server.cpu() - before < 0.15 * self.quiet_seconds:
                return

    def idle_figures(self, programs, prefix=""):
        """CPU of an idle interval, and memory at its end."""
        server, cpu, begun = self.server.cpu(), sum(p.cpu() for p in programs), time.time()
        time.sleep(self.seconds)
        cpu, server = sum(p.cpu() for p in programs) - cpu, self.server.cpu() - server
        minute = 60e3 / (time.time() - begun)
        figures = {"idle_cpu_ms_per_min": cpu * minute, "pss_mb": sum(p.pss_mb() for p in programs),
                   "private_mb": sum(p.private_mb() for p in programs),
                   "anonymous_mb": sum(p.anonymous_mb() for p in programs),
                   "rss_mb": sum(p.status("VmRSS") for p in programs) / 1024,
                   "processes": sum(len(tree(p.root)) for p in programs),
                   "threads": sum(p.status("Threads") for p in programs),
                   "connections": sum(p.sockets()[0] or 0 for p in programs),
                   "server_idle_cpu_ms_per_min": server * minute}
        return {prefix + key: value for key, value in figures.items()}


def idle(b, spec):
    p = b.start(spec)
    try:
        p.wait("synced")
        b.settle([p])
        return {"reconciles": p.stats()["reconciles"]} | b.idle_figures([p])
    finally:
        p.stop()


def crowd(b, spec):
    """Many plugins in one host."""
    p = b.start(spec, BENCH_INSTANCES=str(b.count))
    try:
        for _ in range(b.count):
            p.wait("synced")
        b.settle([p])
        return b.idle_figures([p])
    finally:
        p.stop()


def sync(b, spec):
    want = b.load("state")["objects"]
    b.settle()
    server = b.server.cpu()
    p = b.start(spec)
    try:
        synced = p.wait("synced")
        cpu_synced, server = p.cpu(), b.server.cpu() - server
        end = time.time() + 300
        while time.time() < end and p.stats()["reconciles"] < want:  # the first one of every object
            time.sleep(0.5)
        cpu, rested = p.cpu(), time.time()
        time.sleep(b.rest_seconds)
        stats, wire = p.stats(), p.sockets()[1]
        return {"want": want, "objects": synced.get("objects", stats["reconciles"]), "reconciles": stats["reconciles"],
                "sync_s": synced["t"] - p.started, "reconciled_s": rested - p.started, "cpu_s_at_sync": cpu_synced,
                "cpu_s_all_reconciled": cpu, "peak_rss_mb": p.status("VmHWM") / 1024,
                "rest_rss_mb": p.status("VmRSS") / 1024, "wire_mb": wire and wire / 1e6, "server_cpu_s": server}
    finally:
        p.stop()


def events(b, spec):
    p = b.start(spec)
    try:
        p.wait("synced")
        b.settle([p])
        before, server, cpu = p.stats(), b.server.cpu(), p.cpu()
        load = b.load("update", n=b.objects, rate=b.rate, seconds=b.seconds)
        time.sleep(b.quiet_seconds)
        cpu, server, stats = p.cpu() - cpu, b.server.cpu() - server, p.stats()
        sent = max(load["sent"], 1)
        return {"sent": load["sent"], "seen": stats["measured"], "rate": load["rate"], "errors": load["errors"],
                "reconciles": stats["reconciles"] - before["reconciles"], "cpu_us_per_event": cpu / sent * 1e6,
                "p50_us": stats.get("p50_us"), "p99_us": stats.get("p99_us"), "max_us": stats.get("max_us"),
                "patch_p50_us": load["patch_p50_us"], "patch_p99_us": load["patch_p99_us"],
                "rss_mb": p.status("VmRSS") / 1024, "server_cpu_us_per_event": server / sent * 1e6}
    finally:
        p.stop()


def child(b, spec):
    b.load("clean")
    b.settle()
    p = b.start(spec, BENCH_MODE="child")
    try:
        p.wait("synced")
        b.settle([p])
        figures = {}
        for seq, phase in ((1, "create_"), (2, "update_")):
            before, server, cpu = p.stats(), b.server.cpu(), p.cpu()
            load = b.load("parents", n=b.objects, seq=seq)
            time.sleep(b.quiet_seconds)
            cpu, server, stats = p.cpu() - cpu, b.server.cpu() - server, p.stats()
            count = stats["reconciles"] - before["reconciles"]
            figures |= {phase + "s": load["converge_seconds"], phase + "load_s": load["write_seconds"],
                        phase + "children_ok": load["children_ok"], phase + "reconciles": count,
                        phase + "cpu_us_per_reconcile": cpu / max(count, 1) * 1e6,
                        phase + "cpu_us_per_parent": cpu / b.objects * 1e6,
                        phase + "server_cpu_us_per_parent": server / b.objects * 1e6}
        return figures
    finally:
        p.stop()


def together(b, spec, count):
    """`count` controllers: in one host where the program can, else in as many processes."""
    if spec["one_host"]:
        return [b.start(spec, f"-{count}", BENCH_INSTANCES=str(count))], count
    return [b.start(spec, f"-{i}") for i in range(count)], 1


def fleet(b, spec):
    figures = {}
    for count in (1, b.count):
        time.sleep(b.quiet_seconds)
        before, server, begun, programs = b.load("state"), b.server.cpu(), time.time(), []
        try:
            programs, lines = together(b, spec, count)
            for p in programs:
                for _ in range(lines):
                    p.wait("synced")
            synced, server = time.time() - begun, b.server.cpu() - server
            b.settle(programs)
            after, prefix = b.load("state"), f"n{count}_"
            figures |= {prefix + "all_synced_s": synced, prefix + "server_cpu_s_sync": server,
                        prefix + "watches": after["watches"] - before["watches"],
                        prefix + "lists": after["lists_total"] - before["lists_total"] - 1}  # one is the loader's
            figures |= b.idle_figures(programs, prefix)
        finally:
            for p in programs:
                p.signal(signal.SIGTERM)
            for p in programs:
                p.stop()
    return figures


def failover(b, spec):
    if not spec["elects"]:
        raise RuntimeError("has no leader election")
    lease = f"bench-{time.time_ns()}"
    programs, figures = [b.start(spec, "-0", BENCH_LEASE=lease)], {}
    try:
        programs[0].wait("leading", 60)
        for i, (kind, number) in enumerate((("kill", signal.SIGKILL), ("term", signal.SIGTERM))):
            programs.append(b.start(spec, f"-{i + 1}", BENCH_LEASE=lease))
            time.sleep(6)
            begun = time.time()
            programs[i].signal(number)
            figures[kind + "_s"] = programs[i + 1].wait("leading", 60)["t"] - begun
            figures[kind + "_to_synced_s"] = programs[i + 1].wait("synced", 60)["t"] - begun
        return figures
    finally:
        for p in programs:
            p.stop()

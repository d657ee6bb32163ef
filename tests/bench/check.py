#!/usr/bin/env python3
"""Tries harness, Leasehold program and floor on the embedded API server, in small: check.py BUILD. Prints TAP."""
import json, ssl, sys, threading, time, urllib.error, urllib.request

import bench
import report
import table
from server import Devapi, server_env

OBJECTS, PARENTS, UPDATES = 40, 6, 12
PARAMS = {**bench.DEFAULTS, "objects": OBJECTS, "rate": 50, "seconds": 0.3, "count": 3, "rest_seconds": 0.1, "quiet_seconds": 0.2, "warm_up": False}


class Loader:
    """What the Go loader does, for a handful of ConfigMaps."""

    def __init__(self, env):
        self.server, self.token = env["BENCH_SERVER"], env["BENCH_TOKEN"]
        self.tls = ssl._create_unverified_context()

    def __call__(self, command, **flags):
        return getattr(self, command)(**flags)

    def ask(self, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(f"{self.server}/api/v1/{path}", method=method, data=json.dumps(body).encode() if body else None,
                                         headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind})
        with urllib.request.urlopen(request, context=self.tls, timeout=10) as answer:
            return json.load(answer)

    def items(self):
        return self.ask("GET", "configmaps")["items"]

    def create(self, name, data, labels=None):
        try:
            self.ask("POST", "namespaces/default/configmaps", {"metadata": {"name": name, "labels": labels or {}}, "data": data})
        except urllib.error.HTTPError as e:
            if e.code != 409:
                raise

    def delete(self, name):
        try:
            self.ask("DELETE", f"namespaces/default/configmaps/{name}")
        except urllib.error.HTTPError as e:
            if e.code != 404:  # the collector was faster
                raise

    def patch(self, name, body):
        self.ask("PATCH", f"namespaces/default/configmaps/{name}", body, "application/merge-patch+json")

    def state(self, **_):
        return {"objects": len(self.items()), "watches": 0, "lists_total": 0, "server": "devapi"}

    def ensure(self, n, **_):
        for i in range(n):
            self.create(f"object-{i}", {"text": "x" * 100})

    def clean(self, **_):
        self.create("seed", {})
        for item in self.items():
            if item["metadata"]["name"] != "seed" and item["metadata"]["namespace"] == "default":
                self.delete(item["metadata"]["name"])

    def update(self, **_):
        for i in range(UPDATES):
            self.patch(f"object-{i}", {"metadata": {"annotations": {"bench/seq": str(time.time_ns()), "bench/ts": str(time.time_ns()),
                                                                    "bench/live": "1"}}})
        return {"sent": UPDATES, "errors": 0, "rate": 0, "patch_p50_us": 1, "patch_p99_us": 1}

    def parents(self, n, seq, **_):
        begun = time.time()
        for i in range(n):
            self.create(f"parent-{i}", {"seq": str(seq)}, {"bench/parent": "1"})
            self.patch(f"parent-{i}", {"data": {"seq": str(seq)}})
        while (good := self.right_children(str(seq))) < n and time.time() < begun + 10:
            time.sleep(0.02)
        return {"converge_seconds": time.time() - begun, "write_seconds": 0, "errors": 0, "children_ok": good}

    def right_children(self, seq):
        items = {item["metadata"]["name"]: item for item in self.items()}
        uid = lambda name: items[name]["metadata"]["uid"]
        owner = lambda item: item["metadata"].get("ownerReferences", [{}])[0].get("uid")
        return sum(item["data"].get("seq") == seq and owner(item) == uid(name.removesuffix("-child"))
                   for name, item in items.items() if name.endswith("-child"))


class Tap:
    def __init__(self):
        self.count, self.failed = 0, 0

    def same(self, name, got, wanted):
        self.count += 1
        self.failed += got != wanted
        print(f"{'ok' if got == wanted else 'not ok'} {self.count} - {name}" + ("" if got == wanted else f" # got {got}, not {wanted}"), flush=True)


def check_figures(tap, name, figures, wanted, positive):
    """`wanted` rows have these values, `positive` ones are greater than 0."""
    tap.same(f"{name}: counts", {row: figures.get(row) for row in wanted}, wanted)
    tap.same(f"{name}: figures", [row for row in positive if not (figures.get(row) or 0) > 0], [])


def run(tap, server, there, scenario, programs, wanted, positive):
    loader = Loader(server_env(server.kubeconfig))
    record = bench.run_scenario(scenario, [there[p] for p in programs], PARAMS | {"objects": wanted.pop("load", OBJECTS)}, 1, server, loader)
    record["date"], record["versions"] = "2000-01-01", {"leasehold": "test"}
    for program in programs:
        runs = record["programs"][program]["runs"]
        check_figures(tap, f"{scenario}, {program}", runs[0] if runs else {}, wanted,
                      [row for row in positive if program != "floor" or row != "p50_us"])
    return record


def check_table(tap):
    """Ratios are to the better peer of the row."""
    medians = {"leasehold": {"peak_rss_mb": 10.0, "sync_s": 3.0, "objects": 5}, "controller-runtime": {"peak_rss_mb": 100.0, "sync_s": 2.0},
               "kube-rs": {"peak_rss_mb": 80.0, "sync_s": 4.0, "objects": 5}}
    tap.same("ratios", table.ratios(medians)["leasehold"], {"peak_rss_mb": 0.125, "sync_s": 1.5})
    tap.same("goals", [met for *_, met in table.verdicts("sync-config", medians)], [True, False])


def main():
    there = bench.specs(f"{sys.argv[1]}/bin", "/nonexistent")
    ours, observers = ["leasehold", "leasehold-process"], ["leasehold", "leasehold-process", "floor"]
    tap, records = Tap(), {}
    server = Devapi(f"{sys.argv[1]}/bin/leasehold")
    watchdog = threading.Timer(120, server.process.kill)
    watchdog.start()
    try:
        objects = len(Loader(server_env(server.kubeconfig)).items()) + OBJECTS
        records["sync-config"] = run(tap, server, there, "sync-config", observers, {"want": objects, "objects": objects, "reconciles": objects},
                                     ["sync_s", "cpu_s_at_sync", "cpu_s_all_reconciled", "peak_rss_mb", "wire_mb"])
        records["events-500"] = run(tap, server, there, "events-500", observers, {"sent": UPDATES, "seen": UPDATES, "reconciles": UPDATES},
                                    ["cpu_us_per_event", "p50_us", "rss_mb"])
        records["idle50"] = run(tap, server, there, "idle50", ours, {}, ["pss_mb", "private_mb", "threads"])
        tap.same("what is measured", {p: records["idle50"]["programs"][p]["median"].get("processes") for p in ours},
                 {"leasehold": 1, "leasehold-process": 1 + PARAMS["count"]})
        records["child-10"] = run(tap, server, there, "child-10", ours, {"load": PARENTS, "create_children_ok": PARENTS, "update_children_ok": PARENTS},
                                  ["create_cpu_us_per_reconcile", "update_s"])
    finally:
        watchdog.cancel()
        server.stop()
    check_table(tap)
    text = report.render({"scenarios": records})
    tap.same("report", [name for name in records if f"### {name}" not in text], [])
    print(f"1..{tap.count}")
    sys.exit(tap.failed > 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Draws the results that ./dev bench --json has written, a bar chart for each row of CHARTS:
    plot.py RESULTS.json FOLDER [MANY.jsonl]
Writes FOLDER/NAME.svg. MANY.jsonl are the lines of `tests/figures/run stream`: one for each number of objects."""
import json, os, sys
from html import escape

import table

# file: (title, unit, row, scenarios)
CHARTS = {
    "sync-memory": ("Peak memory of 100,000 objects", "MiB RSS", "peak_rss_mb", ("sync-config", "sync-random", "sync-widgets")),
    "sync-cpu": ("CPU until 100,000 objects are reconciled", "s", "cpu_s_all_reconciled", ("sync-config", "sync-random", "sync-widgets")),
    "events-cpu": ("CPU of an event", "us", "cpu_us_per_event",
                   ("events-100", "events-500", "events-100-widgets", "events-500-widgets")),
    "events-latency": ("Latency of an event, p50", "us", "p50_us",
                       ("events-100", "events-500", "events-100-widgets", "events-500-widgets")),
    "child-cpu": ("CPU of a reconcile that writes a child", "us", "create_cpu_us_per_reconcile",
                  ("child-default", "child-10", "child-default-widgets", "child-10-widgets")),
    "fleet-memory": ("20 controllers with 10,000 objects", "MiB PSS", "n20_pss_mb", ("fleet",)),
}
# file: (title, unit, member of a line of MANY.jsonl)
MANY = {
    "many-memory": ("Memory of an object, of its metadata alone", "bytes", "bytes_each"),
    "many-cpu": ("CPU of an object in the first list", "us", "list_cpu_us_each"),
}
COLORS = {"leasehold": "#1f6f5c", "leasehold-process": "#63b39c", "controller-runtime": "#c98a2b", "kube-rs": "#a8442a", "floor": "#9a9a9a"}
WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 720, 150, 90, 16, 18, 64


def bars(results, row, scenarios):
    """[(scenario, [(program, value)])] of those that have figures."""
    found = []
    for name in scenarios:
        medians = table.medians_of(results["scenarios"][name]) if name in results["scenarios"] else {}
        values = [(p, medians[p][row]) for p in COLORS if medians.get(p, {}).get(row) is not None]
        if values:
            found.append((name, values))
    return found


def legend(programs):
    out, x = [], LEFT
    for name in programs:
        out.append(f'<rect x="{x}" y="38" width="10" height="10" fill="{COLORS[name]}"/><text x="{x + 14}" y="47">{escape(name)}</text>')
        x += 26 + 7 * len(name)
    return out


def chart(title, unit, groups):
    top = max(value for _, values in groups for _, value in values) or 1
    out, y = [], TOP
    for name, values in groups:
        out.append(f'<text x="{LEFT - 8}" y="{y + BAR * len(values) / 2 + 4:.0f}" text-anchor="end">{escape(name)}</text>')
        for program, value in values:
            width = (WIDTH - LEFT - RIGHT) * value / top
            out.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}" fill="{COLORS[program]}"/>'
                       f'<text x="{LEFT + width + 4:.1f}" y="{y + 11}">{table.show(float(value))}</text>')
            y += BAR
        y += GAP
    shown = [p for p in COLORS if any(p == program for _, values in groups for program, _ in values)]
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" '
                      'font-family="sans-serif" font-size="12">', f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>',
                      f'<text x="12" y="24" font-size="15">{escape(title)}, {escape(unit)} (less is better)</text>',
                      *legend(shown), *out, "</svg>"]) + "\n"


def write(folder, name, *drawn):
    with open(os.path.join(folder, name + ".svg"), "w") as f:
        f.write(chart(*drawn))


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    with open(sys.argv[1]) as f:
        results = json.load(f)
    os.makedirs(sys.argv[2], exist_ok=True)
    for file, (title, unit, row, scenarios) in CHARTS.items():
        if groups := bars(results, row, scenarios):
            write(sys.argv[2], file, title, unit, groups)
    if len(sys.argv) == 4:
        with open(sys.argv[3]) as f:
            lines = [json.loads(line) for line in f if line.startswith("{")]
        for file, (title, unit, member) in MANY.items():
            groups = [(f"{line['objects']:,} objects", [("leasehold", line[member])]) for line in lines]
            write(sys.argv[2], file, title, unit, groups)


if __name__ == "__main__":
    main()

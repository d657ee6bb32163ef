#!/usr/bin/env python3
"""Prints the tables of results that ./dev bench --json has written, or puts them into a page:
    report.py RESULTS.json [PAGE.md]
Between the lines `<!-- figures -->` and `<!-- end of figures -->` of the page everything is replaced. Plots that
plot.py has drawn into the folder `figures` beside the page are shown there."""
import json, os, re, sys

import plot, table

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def versions(results):
    """What ran in any of the scenarios; each one's table tells its own Leasehold and machine."""
    found = {}
    for record in results["scenarios"].values():
        for name, value in record["versions"].items():
            found.setdefault(name, {})[str(value)] = True
    return "\n".join(["| | version |", "|---|---|", *(f"| {name} | {', '.join(values)} |" for name, values in found.items())])


def goals(results):
    """One row for each goal, missed ones in bold."""
    lines = ["| scenario | | leasehold | goal | |", "|---|---|---|---|---|"]
    for name, record in results["scenarios"].items():
        for row, reached, goal, met in table.verdicts(name, table.medians_of(record)):
            lines.append(f"| {name} | {table.text_of(row)} | {reached} | {goal} | {'met' if met else '**missed**'} |")
    return "\n".join(lines)


def losses(results):
    """Where the better peer is better than leasehold."""
    lines = []
    for name, record in results["scenarios"].items():
        worse = {row: ratio for row, ratio in record["ratio"].get("leasehold", {}).items() if ratio > 1}
        if worse:
            lines.append(f"- {name}: " + "; ".join(f"{table.text_of(row)} {ratio:.2f} times" for row, ratio in worse.items()))
    return "\n".join(lines) or "None."


def how_many(runs):
    return "one run each" if runs == 1 else f"medians of {runs} runs each"


def runs_of(record):
    counts = [len(program["runs"]) for program in record["programs"].values()]
    loads = [run["load_before"] for program in record["programs"].values() for run in program["runs"]]
    kept = ("objects", "resource", "payload", "size", "rate", "workers", "count")
    parameters = ", ".join(f"{key} {record['parameters'][key]}" for key in kept if record["parameters"].get(key) is not None)
    return (f"{record['date'][:10]}; leasehold {record['versions']['leasehold']}; {record['versions'].get('cpu', '?')}; {parameters}; "
            f"{how_many(max(counts, default=0))}; load average before them {min(loads, default=0):.1f} to {max(loads, default=0):.1f}.")


def failures(record):
    failed = [f"{name} failed {program['failed']} times" for name, program in record["programs"].items() if program["failed"]]
    return "\n\n" + "; ".join(failed) + "." if failed else ""


def plots(page):
    folder = os.path.join(os.path.dirname(page), "figures")
    drawn = [name for name in sorted(plot.CHARTS) if os.path.exists(os.path.join(folder, name + ".svg"))]
    return "".join(f"![{name}](figures/{name}.svg)\n" for name in drawn)


def render(results):
    parts = ["### What ran", versions(results), "### Goals", goals(results),
             "### Where the better peer is better than Leasehold", losses(results)]
    for name, record in results["scenarios"].items():
        parts += [f"### {name}", runs_of(record) + failures(record), table.markdown(record)]
    return "\n\n".join(parts)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    with open(sys.argv[1]) as f:
        text = render(json.load(f))
    if len(sys.argv) == 2:
        print(text)
        return
    with open(sys.argv[2]) as f:
        page = f.read()
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.S)
    if not pattern.search(page):
        sys.exit(f"{sys.argv[2]} has no lines '{BEGIN}' and '{END}'")
    with open(sys.argv[2], "w") as f:
        f.write(pattern.sub(lambda _: f"{BEGIN}\n{plots(sys.argv[2])}\n{text}\n{END}", page))


if __name__ == "__main__":
    main()

"""Draw latency and throughput over concurrency: chart.py FILE.svg, figures on standard input."""

from __future__ import annotations

import json
import sys

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt  # after the choice of what draws

# Text stays text, and the same figures give the same file.
plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "benchmarks"})


def draw(path: str) -> None:
    """Draw two charts beside each other."""
    told = json.load(sys.stdin)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for index, (client, figures) in enumerate(told["clients"].items()):
        ours = client.startswith("signalwire_compat")
        style = {"marker": "o", "color": f"C{index}", "linewidth": 2.5 if ours else 1.2}
        left.plot(told["at_a_time"], figures["latency"], label=client, **style)
        right.plot(told["at_a_time"], figures["throughput"], label=client, **style)
    left.set_yscale("log")
    right.set_ylim(bottom=0)
    for axes, title in ((left, "latency, median, ms"), (right, "purchases a second")):
        axes.set_title(title)
        axes.set_xlabel("purchases at a time")
        axes.set_xscale("log")
        axes.set_xticks(told["at_a_time"], [str(number) for number in told["at_a_time"]])
        axes.minorticks_off()
        axes.yaxis.set_major_formatter("{x:,g}")
        axes.grid(alpha=0.3)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    draw(sys.argv[1])

"""The pandana side of the travel benchmark, run with the interpreter of an environment of its own.

Reads arrays from one ``.npz``, writes distances and times to another: what is timed is pandana, not the exchange.
"""

import json
import sys
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")


def main(given: str, answer: str) -> None:
    import pandana
    import pandas as pd

    data = np.load(given)
    edges = {name: pd.Series(data[name]) for name in ("tail", "head", "length")}
    begin = time.perf_counter()
    network = pandana.Network(
        pd.Series(data["x"]),
        pd.Series(data["y"]),
        edges["tail"],
        edges["head"],
        edges["length"].to_frame("length"),
        twoway=False,
    )
    built = time.perf_counter()
    # Pairs within the cut-off, the faster of pandana's two ways: ranges, or one shortest path for each pair that the straight
    # line does not rule out.
    sources, targets, limit = data["sources"], data["targets"], float(data["limit"])
    a, b = (np.asarray(each).ravel() for each in np.meshgrid(np.arange(len(sources)), np.arange(len(targets)), indexing="ij"))
    x, y = data["x"], data["y"]
    near = np.hypot(x[sources[a]] - x[targets[b]], y[sources[a]] - y[targets[b]]) <= limit
    a, b = a[near], b[near]
    metres = np.asarray(network.shortest_path_lengths(sources[a], targets[b]))
    kept = metres <= limit
    done = time.perf_counter()
    np.savez(answer, source=a[kept], target=b[kept], metres=metres[kept])
    json.dump({"build_s": built - begin, "query_s": done - built, "version": pandana.__version__}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])

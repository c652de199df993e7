#!/usr/bin/env python3
"""Asks a Prometheus and Tocsin the same random expressions about the same random data, and compares the answers.

    Benchmarks/promql_differential.py --seed 7
    Benchmarks/promql_differential.py --seed 7 --only 1234      # one expression of that seed, with both answers

Both servers are started on free loopback ports with temporary folders and loaded by remote write. Every expression
is asked at an instant and over a range. What must be the same: HTTP status, kind of error (its text only roughly),
type of the result, labels, timestamps, values (answers.py says how near), and the order where one is asked for.

The oracle is what Debian installs, Prometheus 2.42; the language here is that of 3.x. What changed in between is in
differences.py and, where data or expressions keep clear of it, in data.py and expressions.py. Left out altogether:

- holt_winters: renamed and experimental since 3.0, so that it is behind a switch here;
- of native histograms, an experiment in 2.42, what that release knows nothing of: custom buckets; functions and operators
  that it gives a histogram as if it were the number 0 (arithmetic but `+` of two, comparisons, `avg`, `min`, `max`,
  `topk`, `quantile`, `irate`, `idelta`, `changes`, `resets`, `*_over_time` but `count_`, `present_` and
  `absent_over_time`, `scalar`, sorting, `label_replace` and `label_join`); and zero buckets that cut another
  histogram's bucket in two, of which Prometheus counts a part twice, then another one than now;
- functions and modifiers that 2.42 doesn't know.

TOCSIN_BIN names the program (default .build/release/tocsin). Exit status: 0 no mismatch, 1 mismatches, 2 no run.
"""
import argparse
import collections
import os
import queue
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from differential import answers, data, differences, expressions, servers  # noqa: E402

CONNECTIONS = 6
REPORTED_MISMATCHES = 20


class Run:
    """The expressions of a seed, spread over a few threads."""

    def __init__(self, peers, options):
        self.peers = peers
        self.options = options
        self.lock = threading.Lock()
        self.asked = 0
        self.failed = 0
        self.empty = 0
        self.mismatches = []
        self.excused = collections.Counter()
        self.roots = collections.Counter()
        self.deadline = time.monotonic() + options.seconds if options.seconds else float("inf")
        self.crash = None

    def all(self, numbers):
        work = queue.SimpleQueue()
        for number in numbers:
            work.put(number)
        threads = [threading.Thread(target=self.worker, args=(work,)) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def worker(self, work):
        while time.monotonic() < self.deadline and self.crash is None:
            try:
                number = work.get_nowait()
            except queue.Empty:
                return
            try:
                self.one(number)
            except Exception as error:  # a server that is gone, or a fault of this script: both end the run
                self.crash = (number, error)

    def one(self, number):
        node, times = expressions.generate(self.options.seed, number)
        borders = differences.borders_of(times.start_ms, times.start_ms)
        instant = self.peers.instant(node, times.start_ms)
        asks_range = node.type in ("vector", "scalar")
        ranged = self.peers.range(node, times) if asks_range else None
        found = None
        # Prometheus takes series in another order each time, so that a difference may come and go.
        for _ in range(differences.REPETITIONS):
            if answers.difference(*instant) or answers.disordered(node, *instant):
                found = differences.find(self.peers, node, times.start_ms, borders)
            elif asks_range and answers.difference(*ranged):
                found = differences.find_in_range(self.peers, node, times)
            else:
                break
            if found:
                break
        else:
            found = differences.whole(self.peers, node, times, instant, ranged)
        if found and not found.excuse:
            found.excuse = differences.excuse(self.peers, found)
        with self.lock:
            self.asked += 1
            self.failed += instant[0].error is not None
            self.empty += not instant[0].error and not instant[0].series
            if found and found.excuse:
                self.excused[found.excuse] += 1
            elif found:
                self.mismatches.append((number, node, times, found))
                self.roots[found.node.op] += 1
                if len(self.mismatches) <= REPORTED_MISMATCHES:
                    self.report(number, node, times, found)
            if self.options.only is not None:
                print(f"{node.text()}\nat {times}\nprometheus: {instant[0]}\ntocsin: {instant[1]}")

    def report(self, number, node, times, found):
        print(f"\nMISMATCH in {found.reason[0]}: --seed {self.options.seed} --only {number}")
        print(f"  expression  {node.text()}")
        print(f"  asked       at {times.start_ms / 1000:.3f}, "
              f"and to {times.end_ms / 1000:.3f} by {times.step_ms / 1000:g} s")
        kind = "over that range" if found.is_range else f"at {found.time_ms / 1000:.3f}"
        print(f"  reproduce   {found.node.text(borders=found.borders)}   {kind}")
        if found.reason[1] is not None:
            print(f"  series      {dict(found.reason[1])} at {found.reason[2]}")
        print(f"  prometheus  {found.pair[0]}")
        print(f"  tocsin      {found.pair[1]}", flush=True)

    def summary(self, seconds):
        print(f"\nseed {self.options.seed}: {self.asked} expressions in {seconds:.0f} s, "
              "each at an instant and over a range")
        print(f"  {self.failed} fail on both and {self.empty} have an empty result at the instant")
        for text, count in self.excused.most_common():
            print(f"  {count} differ as known: {text}")
        for op, count in self.roots.most_common():
            print(f"  {count} mismatches begin at {op}")
        print(f"  {len(self.mismatches)} mismatches", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of data and expressions; printed")
    parser.add_argument("--expressions", type=int, default=20000, help="how many")
    parser.add_argument("--seconds", type=float, default=0, help="stop asking after that long; 0: never")
    parser.add_argument("--only", type=int, help="only the expression of that number")
    parser.add_argument("--prometheus", default="/usr/bin/prometheus", help="the oracle")
    parser.add_argument("--keep", action="store_true", help="leave the folder and the servers' logs")
    options = parser.parse_args()
    program = os.path.abspath(os.environ.get("TOCSIN_BIN", ".build/release/tocsin"))
    for path in (program, options.prometheus):
        if not os.access(path, os.X_OK):
            print(f"{path}: no such program", file=sys.stderr)
            return 2
    print(f"seed {options.seed}, {program} against {options.prometheus}", flush=True)
    folder = tempfile.mkdtemp(prefix="promql-differential-")
    started = []
    try:
        started.append(servers.Prometheus(os.path.join(folder, "prometheus"), options.prometheus))
        started.append(servers.Tocsin(os.path.join(folder, "tocsin"), program))
        all_series = data.series(options.seed)
        samples = sum(len(one.samples) for one in all_series)
        for server in started:
            server.wait_until_ready()
            for request in data.write_requests(all_series):
                server.write(request)
        print(f"{len(all_series)} series, {samples} samples", flush=True)
        begin = time.monotonic()
        run = Run(differences.Peers(*started), options)
        run.all(range(options.expressions) if options.only is None else [options.only])
        run.summary(time.monotonic() - begin)
        if run.crash:
            print(f"ended at expression {run.crash[0]}: {run.crash[1]!r}", file=sys.stderr)
            for server in started:
                print(f"{server.name}: exit status {server.process.poll()}; its log:\n{server.log()}", file=sys.stderr)
            return 1
        return 1 if run.mismatches else 0
    finally:
        for server in started:
            server.stop()
        if options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

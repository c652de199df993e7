#!/usr/bin/env python3
"""Scrapes many targets with a release build and tells whether an interval was missed.

    Benchmarks/scrape_targets.py [--targets 1000] [--series 200] [--interval 5] [--seconds 60] [--binary .build/release/tocsin]

Serves the targets itself, on loopback, every value changing each time; prints one JSON line: scrapes per target (least
and most), the longest gap between two scrapes of one target, what the server says it missed, its CPU and memory.
Exits with 1 when an interval was missed. Standard library only.
"""
import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request


class Targets:
    def __init__(self, count, series):
        self.seen = [[] for _ in range(count)]
        self.series = series
        self.pages = {}

    def page(self, turn):
        """The page of a turn; pages repeat after 16 turns, values differ between neighbours."""
        turn %= 16
        if turn not in self.pages:
            lines = ["# TYPE bench_requests_total counter"]
            for n in range(self.series):
                lines.append(
                    'bench_requests_total{method="GET",path="/api/v1/item/%d",code="200",zone="a"} %d'
                    % (n, n * 1000 + turn * 7))
            self.pages[turn] = ("\n".join(lines) + "\n").encode()
        return self.pages[turn]

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = int(re.match(rb"GET /t/(\d+)", head).group(1))
                seen = self.seen[target]
                seen.append(time.monotonic())
                body = self.page(len(seen))
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %d\r\n\r\n"
                    % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()


def cpu_seconds(pid):
    fields = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid):
    pages = int(open("/proc/%d/statm" % pid).read().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def missed(port):
    text = urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=10).read().decode()
    found = re.findall(r"^tocsin_scrape_(missed_intervals|failures|refused)_total\{[^}]*\} (\S+)", text, re.M)
    return {name: float(value) for name, value in found}


async def measure(options):
    targets = Targets(options.targets, options.series)
    server = await asyncio.start_server(targets.serve, "127.0.0.1", 0, backlog=2048)
    port = server.sockets[0].getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        static = "\n".join(
            '          - {targets: ["127.0.0.1:%d"], labels: {__metrics_path__: /t/%d, instance: t%d}}' % (port, n, n)
            for n in range(options.targets))
        path = os.path.join(folder, "pipeline.yml")
        with open(path, "w") as file:
            file.write(
                "name: bench\nsources:\n  - scrape:\n      job_name: bench\n      scrape_interval: %ds\n"
                "      scrape_timeout: %ds\n      static_configs:\n%s\n" % (options.interval, options.interval, static))
        log = open(os.path.join(folder, "log"), "w+")
        process = subprocess.Popen(
            [options.binary, "run", path, "--data", os.path.join(folder, "data"), "--listen", "127.0.0.1:0"],
            stderr=log, stdout=log)
        try:
            own_port = None
            while own_port is None:
                await asyncio.sleep(0.05)
                found = re.search(r"address=127\.0\.0\.1:(\d+)", open(log.name).read())
                own_port = int(found.group(1)) if found else None
                if process.poll() is not None:
                    sys.exit("the server ended: " + open(log.name).read())
            await asyncio.sleep(2 * options.interval)
            for seen in targets.seen:
                del seen[:-1]
            before, start = cpu_seconds(process.pid), time.monotonic()
            await asyncio.sleep(options.seconds)
            wall, cpu = time.monotonic() - start, cpu_seconds(process.pid) - before
            counts = await asyncio.get_running_loop().run_in_executor(None, missed, own_port)
            gaps = [b - a for seen in targets.seen for a, b in zip(seen, seen[1:])]
            scrapes = [len(seen) - 1 for seen in targets.seen]
            result = {
                "targets": options.targets, "series": options.series, "interval_s": options.interval,
                "seconds": round(wall, 1), "scrapes_least": min(scrapes), "scrapes_most": max(scrapes),
                "gap_longest_s": round(max(gaps), 3), "cpu_pct_core": round(100 * cpu / wall, 1),
                "rss_mb": round(resident_mb(process.pid), 1), **counts}
            print(json.dumps(result))
            return result
        finally:
            process.terminate()
            process.wait(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--interval", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--binary", default=".build/release/tocsin")
    options = parser.parse_args()
    result = asyncio.run(measure(options))
    late = result["gap_longest_s"] > 1.5 * options.interval
    sys.exit(1 if late or result.get("missed_intervals", 1) or result.get("failures", 1) else 0)


if __name__ == "__main__":
    main()

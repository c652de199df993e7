#!/usr/bin/env python3
"""Kills the server at random moments of a storm of alerts and sees that nobody hears less or more for it.

    python3 Benchmarks/kill_storm.py --binary .build/release/tocsin --kills 500 --seed 1

Jobs fail and recover at random; each is a group of its own with two receivers, one that is well and one that answers 500
to a third of what it gets and is slow at times. The server is killed with SIGKILL, started again, and told how the jobs are:
samples live in memory. At the end each receiver must have heard of each job: failed, well, failed, well ... as often as it
failed, and nothing twice but under the id of a notification that it had got before a kill. Prints what it found and exits
with 1 when something is wrong. Needs nothing but Python.
"""
import argparse
import collections
import http.client
import http.server
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

PIPELINE = """
name: default
sources: [{push: {}}]
rules:
  - alert: JobFailed
    expr: job_failed == 1
routing:
  route: {receiver: both, group_by: [job], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}
sinks:
  - name: both
    webhook_configs:
      - url: http://127.0.0.1:%d/well
      - url: http://127.0.0.1:%d/flaky
"""


class Receivers:
    """What each receiver has accepted, in order: (job, id, status)."""

    def __init__(self, seed):
        self.lock = threading.Lock()
        self.heard = {"well": [], "flaky": []}
        # How many different notifications of each job.
        self.counts = {"well": collections.Counter(), "flaky": collections.Counter()}
        self.ids = set()
        self.dice = random.Random(seed)
        self.is_flaky = True
        receivers = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                name = self.path.strip("/")
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, wait = receivers.take(name, body, self.headers.get("Idempotency-Key"))
                if wait:
                    time.sleep(wait)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # The server was killed while it waited for this answer.

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request, address):
                pass  # A connection that ends in the middle is what this is about.

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, name, body, key):
        with self.lock:
            if name == "flaky" and self.is_flaky:
                if self.dice.random() < 0.33:
                    return 500, 0
                wait = self.dice.choice([0, 0, 0, 0.05, 0.2])
            else:
                wait = 0
            job = body["groupLabels"]["job"]
            self.heard[name].append((job, key, body["status"]))
            if (name, key) not in self.ids:
                self.ids.add((name, key))
                self.counts[name][job] += 1
            return 200, wait


class Tocsin:
    def __init__(self, binary, folder, port):
        self.binary, self.folder = binary, folder
        self.file = os.path.join(folder, "pipeline.yaml")
        with open(self.file, "w") as out:
            out.write(PIPELINE % (port, port))
        self.process = None
        self.log = open(os.path.join(folder, "log"), "ab")

    def start(self):
        before = self.log.tell()
        self.process = subprocess.Popen(
            [self.binary, "run", self.file, "--listen", "127.0.0.1:0", "--data", os.path.join(self.folder, "data")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log)
        deadline = time.monotonic() + 60
        port = None
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise SystemExit("the server ended by itself with %d" % self.process.returncode)
            if port is None:
                with open(os.path.join(self.folder, "log"), "rb") as log:
                    log.seek(before)
                    for line in log.read().decode(errors="replace").splitlines():
                        if "Listening." in line and ":" in line:
                            port = int(line.rsplit(":", 1)[1])
            if port is not None:
                self.port = port
                try:
                    if self.request("GET", "/-/ready") == 200:
                        return
                except OSError:
                    pass
            time.sleep(0.01)
        raise SystemExit("the server is not ready after a minute")

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            connection.close()

    def tell(self, job, failed):
        status = self.request("PUT", "/metrics/job/%s" % job, "job_failed %d\n" % failed)
        if status != 200:
            raise SystemExit("a push was answered %d" % status)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)


def story(heard):
    """By job: what was told, each id once, and how many came again under an id that was known."""
    told, ids, repeated = collections.defaultdict(list), set(), 0
    for job, key, status in heard:
        if key in ids:
            repeated += 1
            continue
        ids.add(key)
        told[job].append(status)
    return told, repeated


def run(options):
    dice = random.Random(options.seed)
    receivers = Receivers(options.seed)
    failures = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        tocsin = Tocsin(options.binary, folder, receivers.port)
        tocsin.start()
        state = {"job%d" % number: 0 for number in range(options.jobs)}
        try:
            for _ in range(options.kills):
                until = time.monotonic() + dice.uniform(0.05, options.gap)
                while time.monotonic() < until:
                    job = dice.choice(sorted(state))
                    # What comes and goes between two flushes of a group is told to nobody, killed or not.
                    if not heard_all(receivers, job, failures[job], state[job]):
                        time.sleep(0.002)
                        continue
                    wanted = 1 - state[job]
                    state[job] = wanted
                    failures[job] += wanted
                    tocsin.tell(job, wanted)
                tocsin.kill()
                tocsin.start()
                for job, failed in state.items():
                    tocsin.tell(job, failed)
            receivers.is_flaky = False
            wait_until_heard(receivers, failures, state)
            for job, failed in state.items():
                if failed:
                    tocsin.tell(job, 0)
                    state[job] = 0
            wait_until_heard(receivers, failures, state)
            time.sleep(options.settle)
        finally:
            tocsin.end()
    problems = []
    for name, heard in receivers.heard.items():
        told, repeated = story(heard)
        for job in state:
            wanted = ["firing", "resolved"] * failures[job]
            if told[job] != wanted:
                problems.append("%s heard of %s: %s; it failed %d times" % (name, job, told[job], failures[job]))
        if repeated > options.kills * options.jobs:
            problems.append("%s heard %d notifications again" % (name, repeated))
        print("%s: %d notifications of %d failures, %d came again under the id they had"
              % (name, len(heard), sum(failures.values()), repeated))
    for problem in problems:
        print(problem)
    print("seed %d, %d kills: %s" % (options.seed, options.kills, "wrong" if problems else "as if nothing had happened"))
    return 1 if problems else 0


def heard_all(receivers, job, failures, is_failed):
    """Whether both receivers have heard of everything that happened to a job."""
    wanted = 2 * failures - is_failed
    with receivers.lock:
        return all(counts[job] >= wanted for counts in receivers.counts.values())


def wait_until_heard(receivers, failures, state):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if all(heard_all(receivers, job, failures[job], failed) for job, failed in state.items()):
            return
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=".build/release/tocsin")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--gap", type=float, default=0.8, help="seconds between two kills, at most")
    parser.add_argument("--settle", type=float, default=3.0, help="seconds to wait for what must not come")
    sys.exit(run(parser.parse_args()))


if __name__ == "__main__":
    main()

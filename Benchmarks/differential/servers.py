"""The two servers under comparison, each in a folder of its own on a free loopback port."""
import http.client
import json
import os
import socket
import subprocess
import threading
import time
import urllib.parse

import cramjam


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    name = ""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.local = threading.local()
        os.makedirs(folder)
        with open(os.path.join(folder, "log"), "wb") as log:
            self.process = subprocess.Popen(self.command(), cwd=folder, stdout=log, stderr=subprocess.STDOUT)

    def command(self):
        raise NotImplementedError

    def write_file(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def wait_until_ready(self, deadline_seconds=120):
        deadline = time.monotonic() + deadline_seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended at its start; its log:\n{self.log()}")
            try:
                if self.request("GET", "/-/ready")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise SystemExit(f"{self.name} is not ready; its log:\n{self.log()}")

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-4000:]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def request(self, method, path, body=None, headers=None):
        """Status and body, over a connection of the calling thread's own."""
        for is_last_try in (False, True):
            if getattr(self.local, "connection", None) is None:
                self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                self.local.connection.request(method, path, body, headers or {})
                answer = self.local.connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, ConnectionError):
                self.local.connection.close()
                self.local.connection = None
                if is_last_try or self.process.poll() is not None:
                    raise
        raise AssertionError("unreachable")

    def write(self, message):
        status, answer = self.request(
            "POST", "/api/v1/write", bytes(cramjam.snappy.compress_raw(message)),
            {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
             "X-Prometheus-Remote-Write-Version": "0.1.0"})
        if status // 100 != 2:
            raise SystemExit(f"{self.name} refuses the data: {status} {answer[:500]!r}")

    def query(self, path, parameters):
        """HTTP status and the decoded answer."""
        status, body = self.request(
            "POST", f"/api/v1/{path}", urllib.parse.urlencode(parameters),
            {"Content-Type": "application/x-www-form-urlencoded"})
        return status, json.loads(body)


class Prometheus(Server):
    name = "prometheus"

    def __init__(self, folder, program):
        self.program = program
        super().__init__(folder)

    def command(self):
        config = self.write_file("prometheus.yml", "global: {evaluation_interval: 1m}\n")
        return [
            self.program, f"--config.file={config}", f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver",
            "--storage.tsdb.retention.time=100y", "--log.level=error", "--enable-feature=native-histograms"]


class Tocsin(Server):
    name = "tocsin"

    def __init__(self, folder, program):
        self.program = program
        super().__init__(folder)

    def command(self):
        pipeline = self.write_file("pipelines/differential.yml", "name: differential\nsources:\n  - push: {}\n")
        return [
            self.program, "run", os.path.dirname(pipeline), "--listen", f"127.0.0.1:{self.port}",
            "--data", f"{self.folder}/data", "--retention", "36500d", "--log-level", "warning"]

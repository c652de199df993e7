"""Random series, and the remote-write requests that load them.

No query may see a sample on the border of a window: since Prometheus 3.0 ranges and look-back exclude their left
border, before they included it. So every sample lies at an odd millisecond, and every border at an even one
(expressions.py sees to that).

Values are multiples of a quarter, so that sums are exact in whatever order they are added: Prometheus sums with
compensation only since 2.54. What is not exact has a metric of its own, `odd`.
"""
import itertools
import math
import random
import struct

BASE_SECONDS = 1_709_161_200  # 2024-02-28 23:00 UTC: midnight and a leap day lie ahead
SPAN_SECONDS = 90 * 60
STALE = struct.pack("<Q", 0x7FF0000000000002)

JOBS = ("api", "web", "batch")
INSTANCES = ("a:9100", "b:9100", "c:9100")
CODES = ("200", "404", "500")
NATIVE_METRICS = ("native", "native_gauge")
ZONES = ("east", "west")
BUCKETS = ("0.1", "0.25", "1", "2.5", "10", "+Inf")


class Series:
    """Labels, and samples as (milliseconds, the eight bytes of the value, or a Histogram)."""

    def __init__(self, name, labels):
        self.labels = dict(labels, __name__=name)
        self.samples = []

    def add(self, milliseconds, value):
        is_whole = isinstance(value, (bytes, Histogram))
        self.samples.append((milliseconds, value if is_whole else struct.pack("<d", value)))


class Histogram:
    """A native histogram with exponential buckets, of whole numbers."""

    def __init__(self, schema, threshold, is_gauge=False):
        self.schema = schema
        self.threshold = threshold
        self.is_gauge = is_gauge
        self.is_stale = False
        self.sum = 0.0
        self.zero = 0
        self.positive = {}
        self.negative = {}

    def copy(self):
        result = Histogram(self.schema, self.threshold, self.is_gauge)
        result.sum, result.zero = self.sum, self.zero
        result.positive, result.negative = dict(self.positive), dict(self.negative)
        return result

    def observe(self, rng, has_negative):
        """One more observation; the sum stays a multiple of a quarter, whatever the bucket."""
        self.sum += rng.randrange(1, 40) / 4
        if rng.random() < 0.1:
            self.zero += 1
            return
        side = self.negative if has_negative and rng.random() < 0.3 else self.positive
        width = 2 ** max(self.schema, 0)
        index = rng.choice((rng.randrange(-2 * width, 4 * width), rng.randrange(0, 3)))
        if 2 ** (index * 2 ** -self.schema) <= self.threshold:
            self.zero += 1
        else:
            side[index] = side.get(index, 0) + 1

    def message(self, at):
        """As protobuf: prometheus.Histogram."""
        if self.is_stale:
            return b"\x08\x00\x19" + STALE + b"\x78" + _varint(at)
        count = self.zero + sum(self.positive.values()) + sum(self.negative.values())
        out = b"\x08" + _varint(count) + b"\x19" + struct.pack("<d", self.sum)
        out += b"\x20" + _varint(_zigzag(self.schema)) + b"\x29" + struct.pack("<d", self.threshold)
        out += b"\x30" + _varint(self.zero)
        for field, side in ((8, self.negative), (11, self.positive)):
            spans, deltas, before, previous = [], b"", None, 0
            for index in sorted(side):
                if before is not None and index == before + 1:
                    spans[-1][1] += 1
                else:
                    spans.append([index - (before + 1 if before is not None else 0), 1])
                before = index
                deltas += _varint(_zigzag(side[index] - previous))
                previous = side[index]
            for offset, length in spans:
                out += _block(field, b"\x08" + _varint(_zigzag(offset)) + b"\x10" + _varint(length))
            if deltas:
                out += _block(field + 1, deltas)
        return out + (b"\x70\x03" if self.is_gauge else b"") + b"\x78" + _varint(at)


def _zigzag(number):
    return number * 2 if number >= 0 else -number * 2 - 1


class Timeline:
    """When a series has samples: its interval, its phase, where it starts and ends, its gaps and stale markers."""

    def __init__(self, rng, interval=15):
        self.rng = rng
        self.interval = interval * 1000
        self.phase = rng.randrange(self.interval)
        self.begin = rng.choice((0, 0, 0, rng.randrange(SPAN_SECONDS // 2)))
        self.end = rng.choice((SPAN_SECONDS, SPAN_SECONDS, SPAN_SECONDS - rng.randrange(SPAN_SECONDS // 2)))
        self.gaps = rng.choice((0, 0.002, 0.01))

    def __iter__(self):
        """Milliseconds, and whether a stale marker stands there (and nothing for a while after it)."""
        time = self.begin * 1000 + self.phase
        while time < self.end * 1000:
            jitter = self.rng.randrange(-400, 400)
            at = BASE_SECONDS * 1000 + time + jitter
            at += 1 - at % 2
            pause = self.rng.random() < self.gaps
            is_stale = pause and self.rng.random() < 0.6
            yield at, is_stale
            time += self.interval * (self.rng.randrange(2, 45) if pause else 1)
        if self.rng.random() < 0.5:
            at = BASE_SECONDS * 1000 + time
            yield at + 1 - at % 2, True


def series(seed):
    """All series of a seed."""
    rng = random.Random(f"data {seed}")
    return list(itertools.chain(
        _counters(rng), _gauges(rng), _odd(rng), _constants(rng), _histograms(rng), _native(rng)))


def _counters(rng):
    for job, instance, code in itertools.product(JOBS, INSTANCES, CODES):
        if rng.random() < 0.1:
            continue
        yield _counter(rng, "requests_total", {"job": job, "instance": instance, "code": code})
    for job, instance in itertools.product(JOBS, INSTANCES):
        yield _counter(rng, "errors_total", {"job": job, "instance": instance}, interval=rng.choice((15, 30, 60)))


def _counter(rng, name, labels, interval=15):
    result = Series(name, labels)
    value, resets = float(rng.choice((0, 0, 5, 1000, 123456))), rng.choice((0, 0.01, 0.05))
    for at, is_stale in Timeline(rng, interval):
        value = float(rng.randrange(20)) if rng.random() < resets else value + rng.choice((0, 1, 2, 5, 10))
        result.add(at, STALE if is_stale else value)
    return result


def _gauges(rng):
    for job, instance, zone in itertools.product(JOBS, INSTANCES, ZONES):
        if rng.random() < 0.2:
            continue
        result = Series("temperature", {"job": job, "instance": instance, "zone": zone})
        value = rng.randrange(-400, 400) / 4
        for at, is_stale in Timeline(rng, rng.choice((15, 15, 40))):
            value += rng.randrange(-20, 21) / 4
            result.add(at, STALE if is_stale else value)
        yield result
    for job, instance in itertools.product(JOBS, INSTANCES):
        result = Series("queue_length", {"job": job, "instance": instance})
        for at, is_stale in Timeline(rng, rng.choice((30, 90, 200))):
            result.add(at, STALE if is_stale else float(rng.randrange(0, 12)))
        yield result


def _odd(rng):
    """Values that no sensible metric has, but none below the smallest normal number: there Go's logarithm for amd64 is
    wrong."""
    pool = (
        math.nan, math.inf, -math.inf, 0.0, -0.0, 1e300, -1e300, 1e-300, 2.2250738585072014e-308, 1 / 3, -2.5, 1e15,
        -7.0, 3.0)
    for job, kind in itertools.product(JOBS, ("nan", "inf", "wide", "mixed")):
        result = Series("odd", {"job": job, "kind": kind})
        for at, is_stale in Timeline(rng, 30):
            if kind == "nan":
                value = rng.choice((math.nan, 1.0, 2.0))
            elif kind == "inf":
                value = rng.choice((math.inf, -math.inf, 1.0, 4.0))
            elif kind == "wide":
                value = rng.choice((1e300, 1e-300, -1e15, 1 / 3, 0.1))
            else:
                value = rng.choice(pool)
            result.add(at, STALE if is_stale else value)
        yield result


def _constants(rng):
    """What joins are made with: one series an instance, with more labels."""
    for job, instance in itertools.product(JOBS, INSTANCES):
        result = Series("instance_info", {
            "job": job, "instance": instance, "team": rng.choice(("red", "blue")), "version": f"1.{rng.randrange(3)}"})
        for at, is_stale in Timeline(rng, 60):
            result.add(at, STALE if is_stale else 1.0)
        yield result
    for job in JOBS[:2]:
        result = Series("job_limit", {"job": job})
        for at, is_stale in Timeline(rng, 60):
            result.add(at, STALE if is_stale else 50.0)
        yield result


def _histograms(rng):
    for job, instance in itertools.product(JOBS[:2], INSTANCES):
        labels = {"job": job, "instance": instance}
        buckets = [Series("latency_bucket", dict(labels, le=le)) for le in BUCKETS]
        count, total = Series("latency_count", labels), Series("latency_sum", labels)
        counts, added, resets = [0] * len(BUCKETS), 0.0, rng.choice((0, 0.01))
        for at, is_stale in Timeline(rng, 15):
            if rng.random() < resets:
                counts, added = [0] * len(BUCKETS), 0.0
            for _ in range(rng.randrange(6)):
                first = rng.randrange(len(BUCKETS))
                added += rng.randrange(1, 40) / 4
                for index in range(first, len(BUCKETS)):
                    counts[index] += 1
            for bucket, value in zip(buckets, counts):
                bucket.add(at, STALE if is_stale else float(value))
            count.add(at, STALE if is_stale else float(counts[-1]))
            total.add(at, STALE if is_stale else added)
        yield from buckets
        yield count
        yield total


def _native(rng):
    """Native histograms: counters, with resets that may change resolution and zero bucket, and gauges.

    No zero bucket of any series cuts a bucket of another in two: of such a bucket Prometheus counts a part twice when it
    adds them, and which part has changed.
    """
    layouts = rng.choice((((-1, 0, 0, 1, 2, 3), (0.0, 1e-128)), ((0, 0, 1, 2, 3), (0.0, 1e-128, 0.125, 0.5))))
    for name, job, instance in itertools.product(NATIVE_METRICS, JOBS, INSTANCES):
        is_gauge = name == "native_gauge"
        result = Series(name, {"job": job, "instance": instance})
        resets, has_negative = rng.choice((0, 0.01, 0.04)), rng.random() < 0.4
        new = _fresh(rng, is_gauge, layouts)
        current = new()
        for at, is_stale in Timeline(rng, rng.choice((15, 15, 40))):
            if is_stale:
                marker = Histogram(0, 0)
                marker.is_stale = True
                result.add(at, marker)
                continue
            if is_gauge or rng.random() < resets:
                if rng.random() < 0.2:
                    new = _fresh(rng, is_gauge, layouts)
                current = new()
            for _ in range(rng.randrange(12 if is_gauge else 6)):
                current.observe(rng, has_negative)
            result.add(at, current.copy())
        yield result


def _fresh(rng, is_gauge, layouts):
    """Makes empty histograms of one layout."""
    schema, threshold = (rng.choice(choices) for choices in layouts)
    return lambda: Histogram(schema, threshold, is_gauge)


# Remote write 1.0: WriteRequest{1: TimeSeries{1: Label{1, 2}, 2: Sample{1: double, 2: int64}, 4: Histogram}}.

def _varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _block(field, content):
    return bytes((field << 3 | 2,)) + _varint(len(content)) + content


def write_requests(all_series, slice_seconds=600):
    """The uncompressed requests that load the series, in order of time: a head takes nothing much older than its
    newest sample."""
    first = min(series.samples[0][0] for series in all_series if series.samples)
    last = max(series.samples[-1][0] for series in all_series if series.samples)
    for begin in range(first, last + 1, slice_seconds * 1000):
        request = b""
        for one in all_series:
            samples = [s for s in one.samples if begin <= s[0] < begin + slice_seconds * 1000]
            if not samples:
                continue
            labels = b"".join(
                _block(1, _block(1, name.encode()) + _block(2, value.encode()))
                for name, value in sorted(one.labels.items()))
            request += _block(1, labels + b"".join(
                _block(4, value.message(at)) if isinstance(value, Histogram)
                else _block(2, b"\x09" + value + b"\x10" + _varint(at)) for at, value in samples))
        yield request

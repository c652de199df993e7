"""Answers of the query API in a form that compares, and the comparison."""
import copy
import math

# A sum in another order, a product in another association or another library's sine differ in the last of 53 bits
# (1.1e-16); a few thousand such steps stay below this. Anything above is a difference of meaning.
RELATIVE_TOLERANCE = 1e-9

ERROR_CLASSES = (
    ("matching", ("many-to-many", "multiple matches", "matching must be explicit")),
    ("same labels", ("same labelset", "duplicate")),
    ("parameter", ("overflows int64", "is NaN", "invalid label name", "invalid destination label", "smoothing factor",
                   "trend factor")),
    ("regular expression", ("regular expression", "regexp", "missing closing")),
)


class Histogram:
    """A native histogram as the API shows it: its count, its sum, and by bounds what is in its buckets."""

    def __init__(self, body):
        self.count = number(body["count"])
        self.sum = number(body["sum"])
        self.buckets = {}
        for _, lower, upper, count in body.get("buckets", ()):
            self.buckets[number(lower), number(upper)] = number(count)

    def __eq__(self, other):
        return isinstance(other, Histogram) and (self.count, self.sum, self.buckets) == (
            other.count, other.sum, other.buckets)

    def __hash__(self):
        return hash((self.count, self.sum))

    def __lt__(self, other):
        return str(self) < str(other)

    def close(self, other, scale=0.0):
        """Whether two are the same within the tolerance: a bucket that is not there is one of 0."""
        size = max(abs(self.count), abs(other.count), scale, *map(abs, self.buckets.values()), 0.0)
        if not (close(self.count, other.count, size) and close(self.sum, other.sum, size)):
            return False
        for bounds in self.buckets.keys() | other.buckets.keys():
            if not close(self.buckets.get(bounds, 0.0), other.buckets.get(bounds, 0.0), size):
                return False
        return True

    def scaled(self, factor):
        result = copy.copy(self)
        result.count, result.sum = self.count * factor, self.sum * factor
        result.buckets = {bounds: count * factor for bounds, count in self.buckets.items()}
        return result

    def __str__(self):
        buckets = " ".join(f"({lower:g},{upper:g}]:{count:g}" for (lower, upper), count in sorted(self.buckets.items()))
        return "{" + f"count {self.count:.17g} sum {self.sum:.17g} {buckets}" + "}"


class Answer:
    """An answer's kind, and its values by labels: [(time, text of the value)]."""

    def __init__(self, status, body):
        self.status = status
        self.body = body
        self.error = None
        self.type = None
        self.series = {}
        self.order = []
        self.has_duplicates = False
        if body.get("status") != "success":
            text = body.get("error", "")
            kind = next((name for name, signs in ERROR_CLASSES if any(sign in text for sign in signs)), "other")
            if body.get("errorType") == "bad_data":
                kind = "any"  # what a parser says is its own
            self.error = (status, body.get("errorType"), kind)
            return
        self.type = body["data"]["resultType"]
        result = body["data"]["result"]
        if self.type in ("scalar", "string"):
            self.series = {(): [tuple(result)]}
            return
        for one in result:
            if not one.keys() & {"value", "values", "histogram", "histograms"}:
                continue  # 2.42 shows the series of absent_over_time in a subquery without any sample
            labels = tuple(sorted(one["metric"].items()))
            self.has_duplicates |= labels in self.series
            points = [tuple(point) for point in one.get("values", ())]
            points += [tuple(one["value"])] if "value" in one else []
            native = one.get("histograms", []) + ([one["histogram"]] if "histogram" in one else [])
            points += [(time, Histogram(body)) for time, body in native]
            self.series[labels] = sorted(points, key=lambda point: point[0])
            self.order.append(labels)

    def value(self, labels):
        return number(self.series[labels][0][1])

    def numbers(self):
        return [number(value) for points in self.series.values() for _, value in points
                if not isinstance(value, Histogram)]

    def histograms(self):
        return [value for points in self.series.values() for _, value in points if isinstance(value, Histogram)]

    def same_bits(self, other):
        return (self.error, self.type, self.series) == (other.error, other.type, other.series)

    def __str__(self):
        if self.error:
            return f"{self.error[0]} {self.error[1]}: {self.body.get('error')}"
        lines = [f"{self.type}, {len(self.series)} series"]
        for labels in list(self.order or self.series)[:12]:
            name = "{" + ", ".join(f'{key}="{value}"' for key, value in labels) + "}"
            points = self.series[labels]
            shown = " ".join(f"{value}@{time}" for time, value in points[:6]) + (" ..." if len(points) > 6 else "")
            lines.append(f"    {name} {shown}")
        if len(self.series) > 12:
            lines.append("    ...")
        return "\n".join(lines)


def number(text):
    """Go's text of a float; a histogram is none."""
    return math.nan if isinstance(text, Histogram) else float(text.replace("Inf", "inf"))


def same(left, right):
    """Whether two points are the same within the tolerance."""
    if isinstance(left, Histogram) or isinstance(right, Histogram):
        return isinstance(left, Histogram) and isinstance(right, Histogram) and left.close(right)
    return close(number(left), number(right))


def close(left, right, scale=0.0):
    """Whether two values are the same within the tolerance; `scale` is a magnitude to be measured against as well."""
    if left == right or (math.isnan(left) and math.isnan(right)):
        return True
    if not (math.isfinite(left) and math.isfinite(right)):
        return False
    return abs(left - right) <= RELATIVE_TOLERANCE * max(abs(left), abs(right), scale)


def difference(left, right):
    """What tells two answers apart, as (reason, labels, time), or nothing."""
    if left.error != right.error:
        return "status", None, None
    if left.error:
        return None
    if left.type != right.type:
        return "type", None, None
    if left.has_duplicates or right.has_duplicates:
        return "the same labels twice", None, None
    if left.type == "string":
        return None if left.series == right.series else ("text", None, None)
    if left.series == right.series:
        return None
    for labels in sorted(left.series.keys() | right.series.keys()):
        if (labels in left.series) != (labels in right.series):
            points = left.series.get(labels) or right.series[labels]
            return "labels", labels, points[0][0]
        ours, theirs = left.series[labels], right.series[labels]
        if ours == theirs:
            continue
        times = [dict(ours), dict(theirs)]
        for time in sorted(times[0].keys() | times[1].keys()):
            if (time in times[0]) != (time in times[1]):
                return "times", labels, time
            if not same(times[0][time], times[1][time]):
                return "values", labels, time
    return None


def disordered(node, left, right):
    """Whether the order matters and differs; among equal values any order is right."""
    is_sorted = node.op in ("sort", "sort_desc") or (node.op in ("topk", "bottomk") and not node.grouped)
    if not is_sorted or left.type != "vector":
        return False
    return not all(close(left.value(a), right.value(b)) for a, b in zip(left.order, right.order))

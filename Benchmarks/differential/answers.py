"""Answers of the query API in a form that compares, and the comparison."""
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
            if "value" not in one and "values" not in one:
                continue  # 2.42 shows the series of absent_over_time in a subquery without any sample
            labels = tuple(sorted(one["metric"].items()))
            self.has_duplicates |= labels in self.series
            points = one["values"] if "values" in one else [one["value"]]
            self.series[labels] = [tuple(point) for point in points]
            self.order.append(labels)

    def value(self, labels):
        return number(self.series[labels][0][1])

    def numbers(self):
        return [number(value) for points in self.series.values() for _, value in points]

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
    """Go's text of a float."""
    return float(text.replace("Inf", "inf"))


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
            if not close(number(times[0][time]), number(times[1][time])):
                return "values", labels, time
    return None


def disordered(node, left, right):
    """Whether the order matters and differs; among equal values any order is right."""
    is_sorted = node.op in ("sort", "sort_desc") or (node.op in ("topk", "bottomk") and not node.grouped)
    if not is_sorted or left.type != "vector":
        return False
    return not all(close(left.value(a), right.value(b)) for a, b in zip(left.order, right.order))

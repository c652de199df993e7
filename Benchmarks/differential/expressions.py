"""A generator of random expressions, as trees of nodes that know their text for either server.

Every border of a window lies at an even millisecond (samples: odd ones) that no inner step of a subquery hits:
queries and `@` are at half seconds, offsets, plain ranges and steps are whole seconds, inner steps are whole seconds
too, and a subquery's range has an odd fraction of a second. See data.py for why.
"""
import dataclasses
import random

from . import data

ELEMENT_FUNCTIONS = (
    "abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "sgn", "sin", "cos", "tan", "asin", "acos", "atan",
    "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "deg", "rad", "timestamp")
DATE_FUNCTIONS = (
    "minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year")
WINDOW_FUNCTIONS = (
    "rate", "rate", "increase", "increase", "delta", "irate", "idelta", "deriv", "changes", "resets",
    "avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time", "last_over_time",
    "present_over_time", "stddev_over_time", "stdvar_over_time", "absent_over_time")
AGGREGATIONS = ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar")
ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
SETS = ("and", "or", "unless")
LABELS = ("job", "instance", "code", "zone", "kind", "team", "le")
METRICS = {
    "requests_total": ("job", "instance", "code"),
    "errors_total": ("job", "instance"),
    "temperature": ("job", "instance", "zone"),
    "queue_length": ("job", "instance"),
    "odd": ("job", "kind"),
    "instance_info": ("job", "instance", "team", "version"),
    "job_limit": ("job",),
    "latency_bucket": ("job", "instance", "le"),
    "latency_count": ("job", "instance"),
    "latency_sum": ("job", "instance"),
}
NATIVE_LABELS = ("job", "instance")
VALUES = {
    "job": data.JOBS, "instance": data.INSTANCES, "code": data.CODES, "zone": data.ZONES, "le": data.BUCKETS,
    "kind": ("nan", "inf", "wide", "mixed"), "team": ("red", "blue"), "version": ("1.0", "1.1", "1.2")}
WEIGHTED_METRICS = tuple(METRICS) + ("requests_total", "errors_total", "temperature", "latency_count")


class Border:
    """`start()` or `end()` behind an `@`."""

    def __init__(self, name):
        self.name = name


@dataclasses.dataclass
class Node:
    """An expression: its type, what it is at its root, and its text as a list of strings, nodes and borders."""
    type: str  # vector, scalar, matrix or string
    op: str
    parts: list
    # Of a selector or a subquery: where its window lies.
    range_ms: int = 0
    offset_ms: int = 0
    at_ms: int | str | None = None  # "border": start() or end()
    # Of a subquery.
    step_ms: int = 0
    # Whether both operands of a binary operator are vectors.
    joins: bool = False
    grouped: bool = False

    def window_end(self, time_ms, borders):
        """What a selector or subquery looks at that is asked for at a time, or where its window ends."""
        at = time_ms if self.at_ms is None else self.at_ms
        if at == "border":
            border = next(part.name for part in self.parts if isinstance(part, Border))
            at = round(float(borders[border]) * 1000)
        return at - self.offset_ms

    @property
    def children(self):
        return [part for part in self.parts if isinstance(part, Node)]

    def text(self, dialect="tocsin", borders=None):
        """The expression for a server; `borders` are what `start()` and `end()` become, if anything else."""
        out = []
        for part in self.parts:
            if isinstance(part, Node):
                out.append(part.text(dialect, borders))
            elif isinstance(part, Border):
                out.append(f"{part.name}()" if borders is None else borders[part.name])
            else:
                out.append(part)
        text = "".join(out)
        # Before 3.0 the name of the left operand survived atan2, which it does for no other arithmetic operator.
        if dialect == "prometheus" and self.op == "atan2" and self.type == "vector":
            return f'label_replace({text}, "__name__", "", "__name__", ".*")'
        return text

    def size(self):
        return 1 + sum(child.size() for child in self.children)


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _duration(seconds, fraction_ms=0):
    """A duration in one of the ways to write it."""
    if fraction_ms:
        return (f"{seconds // 60}m" if seconds >= 60 else "") + (f"{seconds % 60}s" if seconds % 60 else "") + \
            f"{fraction_ms}ms"
    if seconds % 3600 == 0 and seconds:
        return f"{seconds // 3600}h"
    if seconds % 60 == 0 and seconds:
        return f"{seconds // 60}m"
    return f"{seconds}s" if seconds < 90 or seconds % 7 else f"{seconds // 60}m{seconds % 60}s"


class Generator:
    def __init__(self, rng):
        self.rng = rng

    def expression(self):
        """A whole expression."""
        draw = self.rng.random()
        if draw < 0.02:
            return self.wrong()
        if draw > 0.92:
            return self.native(self.rng.choice((0, 1, 2, 3)))
        if draw > 0.75:
            return self.of_native(self.rng.choice((1, 2, 3)))
        if draw < 0.06:
            return self.scalar(3)
        if draw < 0.08:
            return self.matrix(2)
        if draw < 0.085:
            return Node("string", "string", [_quoted(self.rng.choice(("", "text", 'a"b\\c')))])
        return self.vector(self.rng.choice((1, 2, 2, 3, 3, 4)))

    # --- selectors

    def matchers(self, metric, chance=0.35):
        rng, out = self.rng, []
        labels = METRICS.get(metric, NATIVE_LABELS)
        while rng.random() < chance and len(out) < 3:
            label = rng.choice(labels) if rng.random() < 0.95 else rng.choice(LABELS)
            values = VALUES[label]
            kind = rng.choice(("=", "=", "!=", "=~", "!~"))
            if kind in ("=", "!="):
                value = rng.choice(values + (("", "nothing") if rng.random() < 0.3 else ()))
            else:
                value = rng.choice((
                    "|".join(rng.sample(values, min(2, len(values)))), values[0][:1] + ".*", ".+", ".*",
                    f"[a-{rng.choice('bcm')}].*", "(?i:" + values[-1].upper() + ")", ""))
            out.append(f"{label}{kind}{_quoted(value)}")
        return out

    def selector_text(self, metric=None):
        rng = self.rng
        metric = metric or rng.choice(WEIGHTED_METRICS)
        matchers = self.matchers(metric)
        if rng.random() < 0.04:
            names = rng.choice(("errors_total|queue_length", "latency_.*", "temperature", "no_.*", "job_limit|odd"))
            return "{" + ",".join([f'__name__=~"{names}"'] + matchers) + "}"
        if rng.random() < 0.02:
            metric = "absent_metric"
        return metric + ("{" + ",".join(matchers) + "}" if matchers or rng.random() < 0.03 else "")

    def modifiers(self):
        """`offset` and `@`: the parts of their text, the offset and the fixed time."""
        rng, parts, offset, at = self.rng, [], 0, None
        if rng.random() < 0.2:
            offset = rng.choice((1, 7, 30, 60, 95, 300, 1200)) * rng.choice((1, 1, 1, -1))
            parts.append([f" offset {'-' if offset < 0 else ''}{_duration(abs(offset))}"])
        if rng.random() < 0.12:
            if rng.random() < 0.5:
                parts.append([" @ ", Border(rng.choice(("start", "end")))])
                at = "border"
            else:
                at = (data.BASE_SECONDS + rng.randrange(data.SPAN_SECONDS)) * 1000 + 500
                parts.append([f" @ {at / 1000:.1f}"])
        rng.shuffle(parts)
        return [piece for part in parts for piece in part], offset * 1000, at

    def selector(self, metric=None):
        parts, offset, at = self.modifiers()
        return Node("vector", "selector", [self.selector_text(metric), *parts], 0, offset, at)

    def matrix(self, depth, metric=None):
        rng = self.rng
        parts, offset, at = self.modifiers()
        if depth <= 0 or rng.random() < 0.75:
            seconds = rng.choice((20, 60, 90, 127, 300, 300, 600, 1800, 3600))
            return Node(
                "matrix", "range", [self.selector_text(metric), f"[{_duration(seconds)}]", *parts],
                seconds * 1000, offset, at)
        seconds, fraction = rng.choice((30, 60, 130, 300, 600, 1500)), rng.randrange(2, 500, 2)
        step = rng.choice((0, 10, 15, 30, 60, 77))
        inner = self.vector(depth - 1) if rng.random() < 0.93 else self.scalar(1)
        inner = self.operand(inner)
        return Node(
            "matrix", "subquery", [
                inner, f"[{_duration(seconds, fraction)}:{_duration(step) if step else ''}]", *parts],
            seconds * 1000 + fraction, offset, at, (step or 60) * 1000)

    # --- scalars

    def number(self):
        rng = self.rng
        return Node("scalar", "number", [rng.choice((
            "0", "1", "2", "3", "-1", "0.5", "-0.25", "10", "50", "100", "1e3", "0x1F", "Inf", "-Inf", "NaN", "1e-3",
            ".5", "2.0", "1000", str(rng.randrange(-20, 200)), str(rng.randrange(-400, 400) / 4)))])

    def scalar(self, depth):
        rng = self.rng
        draw = rng.random()
        if depth <= 0 or draw < 0.5:
            return self.number()
        if draw < 0.58:
            return Node("scalar", "time", ["time()"])
        if draw < 0.62:
            return Node("scalar", "pi", ["pi()"])
        if draw < 0.8:
            return Node("scalar", "scalar", ["scalar(", self.vector(depth - 1), ")"])
        if draw < 0.84:
            return Node("scalar", "minus", ["-", self.parenthesised(self.scalar(depth - 1))])
        left, right = self.scalar(depth - 1), self.scalar(depth - 1)
        if draw < 0.9:
            return self.parenthesised(
                Node("scalar", "comparison", [left, f" {rng.choice(COMPARISONS)} bool ", right]))
        op = rng.choice(ARITHMETIC)
        return self.parenthesised(Node("scalar", "atan2" if op == "atan2" else "binary", [left, f" {op} ", right]))

    @staticmethod
    def parenthesised(node):
        return Node(node.type, "parentheses", ["(", node, ")"])

    # --- vectors

    def vector(self, depth):
        rng = self.rng
        if depth <= 0:
            return self.selector()
        makers = (
            (10, self.selector_of), (16, self.aggregation), (9, self.element), (22, self.window), (16, self.binary),
            (6, self.comparison), (5, self.set_operator), (5, self.quantile_of_histogram), (5, self.relabelled),
            (7, self.ranked), (2, self.absent), (2, self.of_scalar), (2, self.minus), (2, self.sorted),
            (3, self.date), (3, self.clamped), (3, self.chain), (6, self.of_native))
        maker = rng.choices([maker for _, maker in makers], [weight for weight, _ in makers])[0]
        return maker(depth)

    def selector_of(self, depth):
        return self.parenthesised(self.selector()) if self.rng.random() < 0.1 else self.selector()

    def grouping(self, chance=0.75):
        rng = self.rng
        if rng.random() > chance:
            return ""
        labels = rng.sample(LABELS + ("job", "instance"), rng.randrange(0, 4))
        if rng.random() < 0.03:
            labels.append("__name__")
        return f" {rng.choice(('by', 'by', 'without'))} ({', '.join(dict.fromkeys(labels))}) "

    def aggregated(self, op, before, operand):
        """An aggregation with its grouping before or behind its operand."""
        grouping = self.grouping()
        before = [piece for part in before for piece in (part, ", ")]
        inside = ["(", *before, operand, ")"]
        parts = [op, grouping, *inside] if self.rng.random() < 0.6 else [op, *inside, grouping.rstrip()]
        return Node("vector", op, parts, grouped=bool(grouping))

    def aggregation(self, depth):
        return self.aggregated(self.rng.choice(AGGREGATIONS), [], self.vector(depth - 1))

    def ranked(self, depth):
        rng = self.rng
        draw = rng.random()
        if draw < 0.5:
            k = self.number() if rng.random() < 0.15 else Node("scalar", "number", [str(rng.randrange(1, 8))])
            if rng.random() < 0.05:
                k = self.scalar(1)
            return self.aggregated(rng.choice(("topk", "bottomk")), [k], self.vector(depth - 1))
        if draw < 0.75:
            return self.aggregated("quantile", [self.fraction()], self.vector(depth - 1))
        label = rng.choice(("value", "job", "v"))
        return self.aggregated("count_values", [_quoted(label)], self.vector(depth - 1))

    def fraction(self):
        rng = self.rng
        if rng.random() < 0.15:
            return self.scalar(1)
        return Node("scalar", "number", [rng.choice(("0", "0.1", "0.25", "0.5", "0.9", "0.99", "1", "1.5", "-0.5"))])

    def element(self, depth):
        rng = self.rng
        name = rng.choice(ELEMENT_FUNCTIONS)
        if rng.random() < 0.12:
            nearest = [", ", self.scalar(1)] if rng.random() < 0.7 else []
            return Node("vector", "round", ["round(", self.vector(depth - 1), *nearest, ")"])
        return Node("vector", name, [f"{name}(", self.vector(depth - 1), ")"])

    def clamped(self, depth):
        rng = self.rng
        name = rng.choice(("clamp", "clamp_min", "clamp_max"))
        arguments = [piece for _ in range(2 if name == "clamp" else 1) for piece in (", ", self.scalar(1))]
        return Node("vector", name, [f"{name}(", self.vector(depth - 1), *arguments, ")"])

    def date(self, depth):
        rng = self.rng
        name = rng.choice(DATE_FUNCTIONS)
        if rng.random() < 0.2:
            return Node("vector", name, [f"{name}()"])
        if rng.random() < 0.5:
            days = rng.randrange(-40000, 40000)
            return Node("vector", name, [f"{name}(", Node(
                "vector", "vector", ["vector(", Node("scalar", "binary", [f"time() + {days} * 86400"]), ")"]), ")"])
        return Node("vector", name, [f"{name}(", self.vector(depth - 1), ")"])

    def window(self, depth):
        rng = self.rng
        draw = rng.random()
        if draw < 0.06:
            return Node("vector", "quantile_over_time", [
                "quantile_over_time(", self.fraction(), ", ", self.matrix(depth - 1), ")"])
        if draw < 0.12:
            return Node("vector", "predict_linear", [
                "predict_linear(", self.matrix(depth - 1), ", ", self.scalar(1), ")"])
        name = rng.choice(WINDOW_FUNCTIONS)
        counter = name in ("rate", "increase", "irate", "resets") and rng.random() < 0.6
        metric = rng.choice(("requests_total", "errors_total", "latency_count", "latency_bucket")) if counter else None
        return Node("vector", name, [f"{name}(", self.matrix(depth - 1, metric), ")"])

    def quantile_of_histogram(self, depth):
        rng = self.rng
        draw = rng.random()
        if draw < 0.25:
            buckets = self.selector("latency_bucket")
        elif draw < 0.9:
            name = rng.choice(("rate", "increase", "delta", "max_over_time"))
            buckets = Node("vector", name, [f"{name}(", self.matrix(0, "latency_bucket"), ")"])
        else:
            buckets = self.vector(depth - 1)
        if rng.random() < 0.5:
            grouping = rng.choice((" by (le) ", " by (job, le) ", " by (le, instance) ", " without (instance) "))
            op = rng.choice(("sum", "sum", "max", "avg"))
            buckets = Node("vector", op, [op, grouping, "(", buckets, ")"], grouped=True)
        return Node("vector", "histogram_quantile", [
            "histogram_quantile(", self.fraction(), ", ", buckets, ")"])

    def relabelled(self, depth):
        rng = self.rng
        if rng.random() < 0.4:
            sources = "".join(f', "{label}"' for label in rng.sample(LABELS, rng.randrange(0, 3)))
            target, separator = rng.choice(("joined", "job", "__name__")), rng.choice(("-", "", "/"))
            return Node("vector", "label_join", [
                "label_join(", self.vector(depth - 1), f', "{target}", "{separator}"{sources})'])
        target = rng.choice(("new", "job", "instance", "__name__"))
        replacement = rng.choice(("$1", "x-$1-${2}", "", "fixed", "$name", "$0"))
        source = rng.choice(LABELS + ("__name__", "nothing"))
        pattern = rng.choice(("(.*)", "(.).*", "([a-z]+):(.*)", "(?P<name>a).*", "", "w.*", "[", "(.+)_(total|count)"))
        return Node("vector", "label_replace", [
            "label_replace(", self.vector(depth - 1), f', "{target}", "{replacement}", "{source}", "{pattern}")'])

    def absent(self, depth):
        return Node("vector", "absent", ["absent(", self.vector(depth - 1 if self.rng.random() < 0.5 else 0), ")"])

    def of_scalar(self, depth):
        return Node("vector", "vector", ["vector(", self.scalar(depth - 1), ")"])

    def minus(self, depth):
        return Node("vector", "minus", [self.rng.choice("--+"), self.parenthesised(self.vector(depth - 1))])

    def sorted(self, depth):
        name = self.rng.choice(("sort", "sort_desc"))
        return Node("vector", name, [f"{name}(", self.vector(depth - 1), ")"])

    # --- native histograms, with what 2.42 knows to do with them

    def of_native(self, depth):
        """A float of each histogram."""
        rng = self.rng
        draw = rng.random()
        operand = self.native(depth - 1)
        if draw < 0.3:
            return Node("vector", "histogram_quantile", [
                "histogram_quantile(", self.fraction(), ", ", operand, ")"])
        if draw < 0.5:
            bounds = sorted(rng.choice((-100, -4, -1, -0.25, 0, 0.125, 0.5, 1, 3, 8, 100)) for _ in range(2))
            return Node("vector", "histogram_fraction", [
                "histogram_fraction(", Node("scalar", "number", [rng.choice((str(bounds[0]), "-Inf"))]), ", ",
                Node("scalar", "number", [rng.choice((str(bounds[1]), "Inf"))]), ", ", operand, ")"])
        if draw < 0.8:
            name = rng.choice(("histogram_count", "histogram_sum"))
            return Node("vector", name, [f"{name}(", operand, ")"])
        if draw < 0.87:
            return self.aggregated(rng.choice(("count", "group")), [], operand)
        if draw < 0.95:
            name = rng.choice(("count_over_time", "present_over_time", "absent_over_time"))
            return Node("vector", name, [f"{name}(", self.native_matrix(depth - 1), ")"])
        name = rng.choice(("absent", "timestamp"))
        return Node("vector", name, [f"{name}(", operand, ")"])

    def native(self, depth):
        """A vector of histograms."""
        rng = self.rng
        draw = rng.random()
        if depth <= 0 or draw < 0.1:
            return self.selector(rng.choice(data.NATIVE_METRICS))
        if draw < 0.5:
            name = rng.choice(("rate", "increase", "delta"))
            return Node("vector", name, [f"{name}(", self.native_matrix(depth - 1, name), ")"])
        if draw < 0.72:
            return self.aggregated("sum", [], self.native(depth - 1))
        if draw < 0.84:
            match = rng.choice(("", "", "on (job, instance) ", "on (job) group_left ", "ignoring (instance) group_right "))
            return Node("vector", "binary", [
                self.operand(self.native(depth - 1)), f" + {match}", self.operand(self.native(depth - 1))], joins=True)
        other = self.native(depth - 1) if rng.random() < 0.7 else self.vector(0)
        op = rng.choice(SETS) if other.text().startswith("native") else rng.choice(("and", "unless"))
        match = rng.choice(("", "", "on (job) ", "ignoring (instance) "))
        return Node("vector", "set", [
            self.operand(self.native(depth - 1)), f" {op} {match}", self.operand(other)], joins=True)

    def native_matrix(self, depth, function=""):
        rng = self.rng
        metric = "native_gauge" if function == "delta" and rng.random() < 0.6 else "native"
        if depth <= 0 or rng.random() < 0.8:
            return self.matrix(0, metric)
        parts, offset, at = self.modifiers()
        seconds, fraction, step = rng.choice((60, 130, 300, 600)), rng.randrange(2, 500, 2), rng.choice((10, 30, 60, 77))
        return Node(
            "matrix", "subquery",
            [self.operand(self.native(depth - 1)), f"[{_duration(seconds, fraction)}:{_duration(step)}]", *parts],
            seconds * 1000 + fraction, offset, at, step * 1000)

    # --- operators

    def pair(self, depth):
        """Two vectors that have a fair chance of matching, and how they are matched."""
        rng = self.rng
        draw = rng.random()
        if draw < 0.3:
            grouping = rng.choice((" by (job) ", " by (instance) ", " by (job, instance) ", "", " without (code) "))
            sides = []
            for _ in range(2):
                op = rng.choice(AGGREGATIONS)
                sides.append(Node("vector", op, [op, grouping, "(", self.vector(depth - 1), ")"], grouped=True))
            return sides[0], sides[1], rng.choice(("", "", "on (job) ", "ignoring (code) "))
        if draw < 0.5:
            metric = rng.choice(WEIGHTED_METRICS)
            return self.wrapped(metric, depth), self.wrapped(metric, depth), ""
        if draw < 0.8:
            many = self.wrapped(rng.choice(("requests_total", "temperature", "errors_total")), depth)
            one, match = rng.choice((
                ("instance_info", "on (job, instance) group_left (team) "),
                ("instance_info", "on (job, instance) group_left (team, version) "),
                ("errors_total", "ignoring (code, zone) group_left "),
                ("queue_length", "on (job, instance) group_left () "),
                ("job_limit", "on (job) group_left "),
                ("instance_info", "on (instance, job) "),
                ("instance_info", "ignoring (team, version) ")))
            one = self.wrapped(one, 0)
            if rng.random() < 0.3:
                return one, many, match.replace("group_left", "group_right")
            return many, one, match
        return self.vector(depth - 1), self.vector(depth - 1), rng.choice(
            ("", "", "on () ", "on (job) ", "ignoring (instance) ", "on (job) group_left ",
             "ignoring (le) group_right "))

    def wrapped(self, metric, depth):
        """A selector, or a function of it."""
        draw = self.rng.random()
        if depth <= 0 or draw < 0.5:
            return self.selector(metric)
        if draw < 0.8:
            name = self.rng.choice(WINDOW_FUNCTIONS)
            return Node("vector", name, [f"{name}(", self.matrix(0, metric), ")"])
        name = self.rng.choice(ELEMENT_FUNCTIONS)
        return Node("vector", name, [f"{name}(", self.selector(metric), ")"])

    def operand(self, node):
        """The node, in parentheses if its text has operators at its root."""
        if node.op in ("binary", "atan2", "comparison", "set", "chain", "minus"):
            return self.parenthesised(node)
        return node

    def infix(self, kind, op, depth, modifier=""):
        rng = self.rng
        draw = rng.random()
        if kind != "set" and draw < 0.4:
            vector, scalar = self.operand(self.vector(depth - 1)), self.operand(self.scalar(1))
            left, right = (vector, scalar) if rng.random() < 0.6 else (scalar, vector)
            return Node("vector", kind, [left, f" {op} {modifier}", right])
        left, right, match = self.pair(depth)
        if kind == "set":
            match = match.split("group_")[0]
        return Node(
            "vector", kind, [self.operand(left), f" {op} {modifier}{match}", self.operand(right)], joins=True)

    def binary(self, depth):
        op = self.rng.choices(ARITHMETIC, (6, 6, 5, 5, 2, 2, 2))[0]
        return self.infix("atan2" if op == "atan2" else "binary", op, depth)

    def comparison(self, depth):
        return self.infix("comparison", self.rng.choice(COMPARISONS), depth, self.rng.choice(("", "", "bool ")))

    def set_operator(self, depth):
        return self.infix("set", self.rng.choice(SETS), depth)

    def chain(self, depth):
        """Operators without parentheses: what binds how tightly, and to which side."""
        rng = self.rng
        parts = [self.operand(self.wrapped("temperature", depth - 1))]
        # A power's last bit differs between libraries, and its remainder then by anything: not both in one chain.
        ops = rng.choice((("+", "-", "*", "/", "^"), ("+", "-", "*", "/", "%")))
        for _ in range(rng.randrange(2, 5)):
            op = rng.choice((*ops, ">", "== bool", "and", "or", "unless", "< bool"))
            other = self.wrapped("temperature", 0) if op in SETS or rng.random() < 0.5 else self.number()
            if rng.random() < 0.1 and op not in SETS:
                other = Node(other.type, "minus", ["-", other])
            parts += [f" {op} ", other]
        return Node("vector", "chain", parts, joins=True)

    # --- what is no valid expression

    def wrong(self):
        rng = self.rng
        inner = self.vector(1).text()
        return Node("vector", "wrong", [rng.choice((
            f"rate({inner})", f"sum({inner}", f"{inner})", f"{inner} and 1", f"1 < 2 + {inner} >", "1 > 2", "1 and 2",
            "sum(3)", f"abs({inner}, 1)", "abs()", f"nothing_known({inner})", "requests_total[5m] + 1",
            "requests_total offset x", "requests_total{job=api}", "requests_total{job=~\"[\"}",
            "{}", '{job=""}', '{job=~".*"}', "requests_total[5m][5m:]", f"-({inner})[5m]", "requests_total @ x",
            f"sum by (job) by (code) ({inner})", f"{inner} + on (job) group_left (job) {inner}", "1 + bool 2",
            f"{inner} and bool {inner}", f"{inner} or on (job) group_left {inner}", 'label_replace("a")',
            'vector("1")', "scalar(1)", "time(1)", "topk(requests_total)", f"topk({inner}, {inner})",
            f"quantile(\"x\", {inner})", f"count_values(1, {inner})", "{__name__=\"a\",__name__=\"b\"}",
            "requests_total{__name__=\"x\"}", "requests_total offset 5m offset 5m", '"a" + "b"', "requests_total{",
            "(requests_total", "requests_total[5m:", "sum(requests_total) by", "", "  ", "#", "1e", "0x",
            "requests_total[5m",
            f"rate({inner}[5m:1s] offset)", "'unterminated", "\"\\q\"", "requests_total[-5m]", "a b", "5m5", "1 2"))])


def generate(seed, number):
    """Expression number `number` of a seed, and at which times to ask for it."""
    rng = random.Random(f"expression {seed} {number}")
    node = Generator(rng).expression()
    start = data.BASE_SECONDS + rng.randrange(-120, data.SPAN_SECONDS + 100)
    step, steps = rng.choice((7, 15, 30, 60, 60, 97, 300)), rng.choice((0, 1, 3, 10, 10, 20))
    return node, Times(start * 1000 + 500, step * 1000, steps)


@dataclasses.dataclass
class Times:
    """An instant, and a range of so many more steps from there on."""
    start_ms: int
    step_ms: int
    steps: int

    @property
    def end_ms(self):
        return self.start_ms + self.step_ms * self.steps

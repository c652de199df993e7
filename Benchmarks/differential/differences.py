"""Finding the sub-expression that makes a difference, and what is known to differ between Prometheus 2.42, the oracle,
and 3.x, whose language Tocsin speaks.

A difference is followed down to the smallest expression whose operands agree while its own results don't. Only there
is it held against the list below, and each entry checks with the operands' values that the difference is the one that
it describes.
"""
import dataclasses
import math
import re

from . import answers, native
from .expressions import DATE_FUNCTIONS, Node, Times

SUMMING = (
    "sum", "avg", "stddev", "stdvar", "avg_over_time", "sum_over_time", "stddev_over_time", "stdvar_over_time", "deriv",
    "predict_linear", "quantile", "quantile_over_time", "histogram_quantile", "rate", "increase", "delta")


REPETITIONS = 8


class Peers:
    """Both servers, asked the same."""

    def __init__(self, prometheus, tocsin):
        self.both = (("prometheus", prometheus), ("tocsin", tocsin))

    def instant(self, node, time_ms, borders=None):
        return self._ask("query", node, {"time": f"{time_ms / 1000:.3f}"}, borders)

    def range(self, node, times, borders=None):
        return self._ask("query_range", node, {
            "start": f"{times.start_ms / 1000:.3f}", "end": f"{times.end_ms / 1000:.3f}",
            "step": f"{times.step_ms / 1000:.3f}"}, borders)

    def _ask(self, path, node, parameters, borders):
        return tuple(
            answers.Answer(*server.query(path, dict(parameters, query=node.text(dialect, borders))))
            for dialect, server in self.both)


@dataclasses.dataclass
class Finding:
    """The smallest expression that differs."""
    node: Node
    borders: dict
    time_ms: int
    pair: tuple  # Prometheus's answer, Tocsin's
    operands: list  # for each child the pair of its answers
    reason: tuple
    times: Times | None = None  # of a difference that only a range query shows
    excuse: str = ""

    @property
    def is_range(self):
        return self.times is not None


def borders_of(start_ms, end_ms):
    return {"start": f"{start_ms / 1000:.3f}", "end": f"{end_ms / 1000:.3f}"}


def find(peers, node, time_ms, borders):
    """The smallest part of an expression that differs at an instant, or nothing."""
    pair = peers.instant(node, time_ms, borders)
    reason = answers.difference(*pair)
    if reason is None and node.type == "vector" and answers.disordered(node, *pair):
        reason = ("order", None, None)
    if reason is None:
        return None
    operands = []
    for child in node.children:
        if node.op == "subquery":
            inner = _inside_subquery(peers, node, reason, time_ms, borders)
            if inner:
                return inner
            continue
        found = find(peers, child, time_ms, borders)
        if found:
            return found
        operands.append(peers.instant(child, time_ms, borders))
    return Finding(node, borders, time_ms, pair, operands, reason)


def _inside_subquery(peers, node, reason, time_ms, borders):
    """The inner expression at the step at which the subquery's samples differ, or where one has an error."""
    times = _inner_times(node, time_ms, time_ms, borders)
    if times is None:
        return None
    at = range(times.start_ms, times.end_ms + 1, times.step_ms)
    if reason[2] is not None:
        at = [round(float(reason[2]) * 1000)]
    for time in at:
        found = find(peers, node.children[0], time, borders)
        if found:
            return found
    return find_in_range(peers, node.children[0], times, borders)


def _inner_times(node, start_ms, end_ms, borders):
    """At which times a subquery evaluates its expression; nothing where its step leaves its window empty."""
    first = ((node.window_end(start_ms, borders) - node.range_ms) // node.step_ms + 1) * node.step_ms
    last = node.window_end(end_ms, borders)
    return Times(first, node.step_ms, (last - first) // node.step_ms) if first <= last else None


def find_in_range(peers, node, times, borders=None):
    """The smallest part of an expression that differs in a range query."""
    borders = borders or borders_of(times.start_ms, times.end_ms)
    pair = peers.range(node, times, borders)
    reason = answers.difference(*pair)
    if reason is None:
        return None
    at = range(times.start_ms, times.end_ms + 1, times.step_ms)
    if reason[2] is not None:
        at = [round(float(reason[2]) * 1000), *at]
    for time_ms in at:
        found = find(peers, node, time_ms, borders)
        if found:
            return found
    operands = []
    for child in node.children:
        if child.op == "range":
            continue
        if child.op == "subquery":
            inner = _inner_times(child, times.start_ms, times.end_ms, borders)
            found = find_in_range(peers, child.children[0], inner, borders) if inner else None
            if found:
                return found
            continue
        found = find_in_range(peers, child, times, borders)
        if found:
            return found
        operands.append(peers.range(child, times, borders))
    return Finding(node, borders, times.start_ms, pair, operands, reason, times)


def whole(peers, node, times, instant, ranged):
    """The finding of a difference that did not come again when it was followed."""
    borders = borders_of(times.start_ms, times.end_ms)
    reason, is_range = answers.difference(*instant) or ("order", None, None), False
    pair = instant
    if ranged and not answers.difference(*instant):
        pair, reason, is_range = ranged, answers.difference(*ranged), True
    finding = Finding(node, borders, times.start_ms, pair, [], reason, times if is_range else None)
    for _ in range(REPETITIONS):
        again = peers.range(node, times) if is_range else peers.instant(node, times.start_ms, borders)
        if again[1].same_bits(pair[1]) and answers.difference(again[0], pair[1]) is None:
            finding.excuse = "Prometheus says otherwise the next time (order of sums, equal values in topk)"
            break
    return finding


def excuse(peers, finding):
    """Why a difference is none of Tocsin's, or nothing."""
    for check in CHECKS:
        text = check(peers, finding)
        if text:
            return text
    return ""


def empty_subquery(_, finding):
    """Where no multiple of a subquery's step lies in its window, 2.42 evaluated what is the same at all steps at the
    next multiple after it (mended in 3.3, #15970)."""
    node = finding.node
    if node.op != "subquery" or _inner_times(node, finding.time_ms, finding.time_ms, finding.borders):
        return ""
    is_empty = not finding.pair[1].error and not finding.pair[1].series
    return "a subquery without any step" if is_empty else ""


def collision_of_negation(_, finding):
    """Since 3.9 negated series that lose their names may have equal labels as long as they never meet (#17708)."""
    node = finding.node
    if node.op != "minus" or not finding.is_range or finding.pair[0].error != (422, "execution", "same labels"):
        return ""
    if finding.pair[1].error or not finding.operands:
        return ""
    met = set()
    for labels, points in finding.operands[0][1].series.items():
        nameless = tuple(one for one in labels if one[0] != "__name__")
        for time, _ in points:
            if (nameless, time) in met:
                return ""
            met.add((nameless, time))
    return "negated series that share their labels but never meet"


def _values(finding):
    return finding.reason[0] == "values"


def carried_rounding(_, finding):
    """Operands within the tolerance but not equal to the last bit: what compares, rounds, cancels or counts them may
    come out differently by any amount. Where operands are equal bit by bit, which is by far the most of the time,
    the same function has to agree, so that nothing stays hidden behind this."""
    if any(not one.same_bits(other) for one, other in finding.operands):
        return "operands that differ in their last bits only"
    return ""


def rounding_of_sums(_, finding):
    """Since 2.54 and 2.55 `sum`, `avg` and `avg_over_time` sum with compensation, and `avg` divides once; the others
    in SUMMING cancel as well. A result near 0 is measured against the operands."""
    if not _values(finding) or finding.node.op not in SUMMING:
        return ""
    operand = finding.operands[-1][0] if finding.node.op != "predict_linear" else finding.operands[0][0]
    scale = max((abs(value) for value in operand.numbers() if math.isfinite(value)), default=0.0)
    if finding.node.op in ("stdvar", "stdvar_over_time"):
        scale = scale * scale if scale < 1e150 else math.inf
    _, labels, time = finding.reason
    pair = [dict(answer.series[labels])[time] for answer in finding.pair]
    if any(isinstance(value, answers.Histogram) for value in pair):
        scale = max((abs(one.count) for one in operand.histograms()), default=0.0)
        is_close = all(isinstance(value, answers.Histogram) for value in pair) and pair[0].close(pair[1], scale)
        return "rounding of sums of histograms, none by the size of the operands" if is_close else ""
    one, other = map(answers.number, pair)
    if math.isfinite(scale) and answers.close(one, other, scale):
        return "rounding of sums, none by the size of the operands"
    return ""


def tied_ranks(_, finding):
    """Which of several equal values topk and bottomk keep has never been promised, and changed with their heap in 2.44
    and 2.52: both must keep the same values in each group and at each time, out of the operand."""
    if finding.node.op not in ("topk", "bottomk") or finding.reason[0] not in ("labels", "times"):
        return ""
    operand, group = finding.operands[-1][0], grouping_of(finding.node)
    kept = []
    for answer in finding.pair:
        groups = {}
        for labels, points in answer.series.items():
            if not set(points) <= set(operand.series.get(labels, ())):
                return ""
            for time, value in points:
                groups.setdefault((group(labels), time), []).append(value)
        kept.append({key: sorted(values) for key, values in groups.items()})
    return "which of equal values are the first" if kept[0] == kept[1] else ""


def tied_ranks_inside(peers, finding):
    """Among equal values Prometheus's topk keeps others each time it is asked, so that what is around it differs though
    both agreed about the operand when that was asked alone. Asked again, they must come to agree."""
    def ranks(node):
        return any(child.op in ("topk", "bottomk") or ranks(child) for child in node.children)
    if not ranks(finding.node):
        return ""
    for _ in range(3 * REPETITIONS):
        again = (peers.range(finding.node, finding.times, finding.borders) if finding.is_range
                 else peers.instant(finding.node, finding.time_ms, finding.borders))
        if answers.difference(*again) is None and not answers.disordered(finding.node, *again):
            return "which of equal values are the first"
    return ""


def rank_below_any(_, finding):
    """A k below 1 asks for nothing. Since 3.5 that holds for -Inf too, which was an error because no integer is as
    small."""
    if finding.node.op not in ("topk", "bottomk") or finding.reason[0] != "status":
        return ""
    smallest = min((value for answer in finding.operands[0] for value in answer.numbers()), default=0.0)
    if smallest == -math.inf and not finding.pair[1].error and not finding.pair[1].series:
        return "k is -Inf"
    return ""


def range_at_odds_with_instants(peers, finding):
    """Faults of 2.42 that show in range queries only, where its own instant queries at the same times say otherwise:
    functions of a pinned range and a number lost samples after the first step (mended in 2.51, #13559), and
    count_values with `by` lost a label after the first step (it sorted its grouping into the expression's own).
    Tocsin's range must consist of the instants that both agree about."""
    node, times = finding.node, finding.times
    if not finding.is_range or finding.pair[1].error or finding.pair[0].error:
        return ""
    is_pinned = node.op in ("predict_linear", "quantile_over_time") and any(
        child.type == "matrix" and child.at_ms is not None for child in node.children)
    if not is_pinned and node.op != "count_values":
        return ""
    expected = {}
    for time_ms in range(times.start_ms, times.end_ms + 1, times.step_ms):
        pair = peers.instant(node, time_ms, finding.borders)
        if answers.difference(*pair) is not None:
            return ""
        for labels, points in pair[1].series.items():
            expected.setdefault(labels, []).append((float(points[0][0]), points[0][1]))
    given = {labels: [(float(time), value) for time, value in points]
             for labels, points in finding.pair[1].series.items()}
    return f"2.42's range query of {node.op} contradicts its instant queries" if given == expected else ""


def pinned_timestamp(peers, finding):
    """timestamp() of a selector with `@` and an offset: Prometheus, 3.x as well, reads the samples that the offset asks
    for and then looks among them at the time of the `@` alone. Tocsin has to say what both say where the offset is
    part of the `@`."""
    node = finding.node
    selector = node.children[0] if node.children else None
    if node.op != "timestamp" or selector.op != "selector" or selector.at_ms is None or not selector.offset_ms:
        return ""
    at = selector.window_end(finding.time_ms, finding.borders)
    plain = Node("vector", "timestamp", ["timestamp(", selector.parts[0], f" @ {at / 1000:.3f})"])
    said = peers.instant(plain, finding.time_ms)
    if not finding.is_range and said[0].same_bits(said[1]) and said[1].same_bits(finding.pair[1]):
        return "timestamp() of a selector with both @ and offset"
    return ""


def date_beyond_time(_, finding):
    """What int64() of NaN, an infinity or too large a number is, Go leaves to the processor, and a date that far away
    to the release of Go. It is NaN here."""
    if finding.node.op not in DATE_FUNCTIONS or not _values(finding):
        return ""
    _, labels, time = finding.reason
    operand = [
        answers.number(dict(points)[time]) for series, points in finding.operands[0][0].series.items()
        if tuple(one for one in series if one[0] != "__name__") == labels and time in dict(points)]
    theirs = answers.number(dict(finding.pair[1].series[labels])[time])
    if len(operand) == 1 and not abs(operand[0]) < 1e14 and math.isnan(theirs):
        return "the date of what is no time"
    return ""


def two_faults(_, finding):
    """3.x compiles label_replace's regular expression before it evaluates the operand, 2.42 did so after it, and Tocsin
    before it evaluates anything at all."""
    one, other = (answer.error for answer in finding.pair)
    if one and other and one[:2] == other[:2] and other[2] == "regular expression":
        return "which of two faults is told"
    return ""


def logarithm_of_subnormals(_, finding):
    """Go's logarithm for amd64 is wrong below the smallest normal number."""
    if finding.node.op not in ("ln", "log2", "log10") or not _values(finding):
        return ""
    operand = finding.operands[0][0].numbers()
    theirs = answers.number(dict(finding.pair[1].series[finding.reason[1]])[finding.reason[2]])
    scale = {"ln": 1.0, "log2": math.log(2), "log10": math.log(10)}[finding.node.op]
    if any(0 < value < 2.2250738585072014e-308 and answers.close(math.log(value), theirs * scale) for value in operand):
        return "the logarithm of a subnormal number"
    return ""


def overflowing_hyperbolics(_, finding):
    """Go computes cosh and sinh of large numbers as half of exp, which overflows a little earlier."""
    if finding.node.op not in ("cosh", "sinh") or not _values(finding):
        return ""
    one, other = (answers.number(dict(answer.series[finding.reason[1]])[finding.reason[2]]) for answer in finding.pair)
    return "cosh and sinh near the largest number" if math.isinf(one) and abs(other) > 8e307 / 2 else ""


def infinite_sums_over_time(_, finding):
    """Since 2.54 the compensation of a sum that comes to an infinity is dropped; before, it made the sum NaN. The
    algorithm of today over the operand's samples has to give what Tocsin says."""
    node = finding.node
    if node.op not in ("stddev_over_time", "stdvar_over_time", "predict_linear", "deriv") or not _values(finding):
        return ""
    one, other = (dict(answer.series[finding.reason[1]])[finding.reason[2]] for answer in finding.pair)
    if one != "NaN" or other not in ("+Inf", "-Inf") or finding.is_range:
        return ""
    for labels, points in finding.operands[0][0].series.items():
        if tuple(one for one in labels if one[0] != "__name__") != finding.reason[1]:
            continue
        points = [(float(time), answers.number(value)) for time, value in points]
        if node.op.startswith("std"):
            value = variance([value for _, value in points])
        else:
            origin = finding.time_ms / 1000 if node.op == "predict_linear" else points[0][0]
            slope, intercept = regression(points, origin)
            value = slope
            if node.op == "predict_linear":
                value = slope * finding.operands[1][0].numbers()[0] + intercept
        if value == answers.number(other):
            return "a sum in a window that comes to an infinity"
    return ""


def regression(points, origin):
    """Slope and intercept of the line through the points by compensated sums."""
    sums = [(0.0, 0.0)] * 4
    for time, value in points:
        x = time - origin
        terms = (x, value, x * value, x * x)
        sums = [compensated(term, *total) for term, total in zip(terms, sums)]
    x, y, xy, xx = (total + rest for total, rest in sums)
    slope = (xy - x * y / len(points)) / (xx - x * x / len(points))
    return slope, y / len(points) - slope * x / len(points)


def variance(values):
    """By Welford's algorithm with compensated sums."""
    count, mean, squares = 0.0, (0.0, 0.0), (0.0, 0.0)
    for value in values:
        count += 1
        delta = value - (mean[0] + mean[1])
        mean = compensated(delta / count, *mean)
        squares = compensated(delta * (value - (mean[0] + mean[1])), *squares)
    return (squares[0] + squares[1]) / count


def compensated(term, total, rest):
    """Neumaier's sum."""
    result = total + term
    if math.isinf(result):
        return result, 0.0
    if abs(total) >= abs(term):
        return result, rest + ((total - result) + term)
    return result, rest + ((term - result) + total)


def grouping_of(node):
    """The function from labels to the labels of an aggregation's group."""
    text = "".join(part for part in node.parts if isinstance(part, str))
    match = re.search(r"(by|without) \(([^)]*)\)", text)
    if not match:
        return lambda labels: ()
    names = {name.strip() for name in match.group(2).split(",")}
    if match.group(1) == "by":
        return lambda labels: tuple(one for one in labels if one[0] in names)
    return lambda labels: tuple(one for one in labels if one[0] not in names | {"__name__"})


def rate_before_its_start(peers, finding):
    """Since 2.51 a counter that begins inside of the window is extrapolated by at most half of an interval before its
    first sample; before, up to where it would have been 0 if that was less than 1.1 intervals away (#13725). Both
    formulas have to give just what each server says."""
    node = finding.node
    if not _values(finding) or node.op not in ("rate", "increase"):
        return ""
    window, samples = node.children[0], finding.operands[0][0]
    end = window.window_end(finding.time_ms, finding.borders)
    start = end - window.range_ms
    wanted = finding.reason[1]
    for labels, points in samples.series.items():
        if tuple(one for one in labels if one[0] != "__name__") != wanted:
            continue
        points = [(round(float(time) * 1000), answers.number(value)) for time, value in points]
        old, new = (extrapolated(points, start, end, is_old) for is_old in (True, False))
        if node.op == "rate":
            old, new = old / (window.range_ms / 1000), new / (window.range_ms / 1000)
        one, other = (answer.value(wanted) for answer in finding.pair)
        if answers.close(old, one) and answers.close(new, other) and not answers.close(old, new):
            return "extrapolation of a counter before its first sample"
    return ""


def extrapolated(points, start, end, is_old):
    """An increase over a window by the formula before 2.51, or since."""
    increase = points[-1][1] - points[0][1]
    for before, after in zip(points, points[1:]):
        if after[1] < before[1]:
            increase += before[1]
    sampled = (points[-1][0] - points[0][0]) / 1000
    interval = sampled / (len(points) - 1)
    to_start, to_end = (points[0][0] - start) / 1000, (end - points[-1][0]) / 1000
    to_zero = sampled * (points[0][1] / increase) if increase > 0 and points[0][1] >= 0 else math.inf
    if is_old:
        to_start = min(to_start, to_zero)
    if to_start >= interval * 1.1:
        to_start = interval / 2
    if not is_old:
        to_start = min(to_start, to_zero)
    if to_end >= interval * 1.1:
        to_end = interval / 2
    return increase * ((sampled + to_start + to_end) / sampled)


def infinite_deviation(_, finding):
    """Since 3.0 a deviation from an infinite mean is NaN, also for a group of one sample, for which it was 0
    (#14941)."""
    if not _values(finding) or finding.node.op not in ("stddev", "stdvar"):
        return ""
    operand, group, wanted = finding.operands[-1][0], grouping_of(finding.node), finding.reason[1]
    members = [answers.number(points[0][1]) for labels, points in operand.series.items() if group(labels) == wanted]
    one, other = (answer.value(wanted) for answer in finding.pair)
    if len(members) == 1 and not math.isfinite(members[0]) and one == 0 and math.isnan(other):
        return "the deviation of a single sample that is not finite"
    return ""


def matches_that_a_filter_drops(peers, finding):
    """Since 3.9 a comparison fails for several matches even where it drops them (#17668). With `bool` nothing is
    dropped, and 2.42 has to fail as well."""
    node = finding.node
    if finding.reason[0] != "status" or node.op != "comparison" or not node.joins or finding.pair[0].error:
        return ""
    if finding.pair[1].error != (422, "execution", "matching"):
        return ""
    parts = [re.sub(r"^( [=!<>]+ )", r"\1bool ", part) if isinstance(part, str) else part for part in node.parts]
    with_bool = Node("vector", "comparison", parts, joins=True)
    if peers.instant(with_bool, finding.time_ms, finding.borders)[0].error == (422, "execution", "matching"):
        return "several matches that a comparison drops"
    return ""


def interpolation_of_native(_, finding):
    """Since 3.0 quantiles and fractions of native histograms are interpolated exponentially inside of a bucket, and
    quantiles from 0.5 on are counted from the highest bucket down; before, linearly and upwards. Both formulas over the
    operand's histogram have to give just what each server says, but for a rank of 0, of which 2.42 divides by the
    count of what may be an empty bucket."""
    node = finding.node
    if node.op not in ("histogram_quantile", "histogram_fraction") or not _values(finding) or finding.is_range:
        return ""
    wanted = finding.reason[1]
    for labels, points in finding.operands[-1][1].series.items():
        histogram = points[0][1]
        if tuple(one for one in labels if one[0] != "__name__") != wanted or not isinstance(
                histogram, answers.Histogram):
            continue
        parameters = [operand[1].numbers()[0] for operand in finding.operands[:-1]]
        formula = native.quantiles if node.op == "histogram_quantile" else native.fractions
        one, other = (answer.value(wanted) for answer in finding.pair)
        old, new = (formula(*parameters, histogram, is_old) for is_old in (True, False))
        is_first = node.op == "histogram_quantile" and parameters[0] * histogram.count == 0
        if any(answers.close(other, value, 1e-3) for value in new) and (
                is_first or any(answers.close(one, value, 1e-3) for value in old)):
            return "interpolation inside of a bucket of a native histogram"
    return ""


def resolution_before_a_reset(_, finding):
    """Since 3.3 (#15902) the first histogram of a window counts for nothing when the next one is after a reset; before, its
    resolution and its zero bucket were those of the result all the same. Tocsin's result must be 2.42's in finer
    buckets."""
    if finding.node.op not in ("rate", "increase") or not _values(finding) or finding.is_range:
        return ""
    one, other = (answer.series[finding.reason[1]][0][1] for answer in finding.pair)
    if not (isinstance(one, answers.Histogram) and isinstance(other, answers.Histogram)):
        return ""
    return "resolution of a histogram before a reset" if native.is_coarser(one, other) else ""


def overlooked_reset(_, finding):
    """2.42 overlooks now and then a reset at which the resolution
    falls. Tocsin has to have one of the samples more, and its counter to have fallen there."""
    node = finding.node
    if node.op not in ("rate", "increase") or not _values(finding) or finding.is_range:
        return ""
    wanted = finding.reason[1]
    one, other = (answer.series[wanted][0][1] for answer in finding.pair)
    for labels, points in finding.operands[0][1].series.items():
        if tuple(label for label in labels if label[0] != "__name__") != wanted:
            continue
        if not all(isinstance(value, answers.Histogram) for _, value in points):
            return ""
        samples = [value for _, value in points]
        end = node.children[0].window_end(finding.time_ms, finding.borders)
        times = [round(float(time) * 1000) for time, _ in points]
        factor = native.extrapolation(times, 0.0, 0.0, end - node.children[0].range_ms, end)[0]
        if node.op == "rate":
            factor /= node.children[0].range_ms / 1000
        for before, after in zip(samples, samples[1:]):
            lost = before.scaled(factor)
            if native.is_reset(before, after) and answers.close(one.count + lost.count, other.count) and answers.close(
                    one.sum + lost.sum, other.sum):
                return "a reset at which the resolution falls"
    return ""


def native_rate_before_its_start(peers, finding):
    """Since 3.6 a histogram is extrapolated at most to where its count would have been 0, as a float is; before,
    that held for floats only. Tocsin's result must be 2.42's times the ratio of both factors."""
    node = finding.node
    if node.op not in ("rate", "increase") or not _values(finding) or finding.is_range:
        return ""
    wanted = finding.reason[1]
    one, other = (answer.series[wanted][0][1] for answer in finding.pair)
    if not (isinstance(one, answers.Histogram) and isinstance(other, answers.Histogram)):
        return ""
    end = node.children[0].window_end(finding.time_ms, finding.borders)
    for labels, points in finding.operands[0][1].series.items():
        if tuple(label for label in labels if label[0] != "__name__") != wanted:
            continue
        times = [round(float(time) * 1000) for time, _ in points]
        factors = native.extrapolation(
            times, points[0][1].count, one.count * (1 if node.op == "increase" else node.children[0].range_ms / 1000),
            end - node.children[0].range_ms, end)
        if factors[0] != factors[1] and native.is_coarser(one.scaled(factors[1] / factors[0]), other):
            return "extrapolation of a histogram before its first sample"
    return ""


def fraction_of_classic(_, finding):
    """Since 3.4 histogram_fraction knows classic buckets too (#16095)."""
    if finding.node.op != "histogram_fraction" or finding.reason[0] != "labels" or finding.pair[0].error:
        return ""
    labels = dict(finding.reason[1])
    is_classic = any(
        "le" in dict(one) and all(dict(one).get(name) == value for name, value in labels.items())
        for one in finding.operands[-1][1].series)
    return "histogram_fraction of classic buckets" if is_classic and not finding.pair[0].series else ""


def matches_of_unlike(_, finding):
    """A float and a histogram can't be added, and since 3.0 (#14726) don't count as a match either, so that several such
    are no error."""
    if finding.node.op != "binary" or not finding.node.joins or finding.pair[1].error:
        return ""
    if finding.pair[0].error != (422, "execution", "matching") or len(finding.operands) != 2:
        return ""
    kinds = [(bool(one.histograms()), len(one.histograms()) < len(one.series)) for _, one in finding.operands]
    if (kinds[0][0] and kinds[1][1]) or (kinds[0][1] and kinds[1][0]):
        return "several matches of a float and a histogram"
    return ""


def conflicting_resets(_, finding):
    """Since 3.7 (#17051) histograms of which one is known to come after a reset and the other not are not added, with a
    warning; both are known only inside of histogram_count and histogram_sum, which leave the buckets out. What
    Tocsin gives has to be what 2.42 gives too."""
    if finding.node.op not in ("histogram_count", "histogram_sum") or finding.reason[0] not in ("labels", "times"):
        return ""
    one, other = finding.pair
    if not any("conflicting counter resets" in text for text in other.body.get("warnings", ())):
        return ""
    for labels, points in other.series.items():
        theirs = dict(one.series.get(labels, ()))
        if any(time not in theirs or not answers.same(theirs[time], value) for time, value in points):
            return ""
    return "histograms with conflicting resets"


CHECKS = (
    fraction_of_classic, matches_of_unlike, native_rate_before_its_start, overlooked_reset, conflicting_resets,
    interpolation_of_native, resolution_before_a_reset, rate_before_its_start, infinite_deviation,
    infinite_sums_over_time, tied_ranks, rank_below_any, pinned_timestamp, tied_ranks_inside, empty_subquery,
    collision_of_negation, matches_that_a_filter_drops, range_at_odds_with_instants, date_beyond_time, two_faults,
    logarithm_of_subnormals, overflowing_hyperbolics, rounding_of_sums, carried_rounding)

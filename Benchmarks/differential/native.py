"""What 2.42 and 3.x make of native histograms where that differs, from histograms as the API shows them.

The API does not show empty buckets, though whether any are there decides where the zero bucket is taken to end; so each
formula gives all its possible values.
"""
import math


def zero_bounds(lower, upper):
    """Where a bucket may be taken to end: the zero bucket is cut where nothing is on its other side."""
    if lower <= 0 <= upper:
        return (lower, upper), (0.0, upper), (lower, 0.0)
    return ((lower, upper),)


def quantiles(q, histogram, is_old):
    """A quantile: linear inside of a bucket and counted from below before 3.0, exponential and counted from the nearer
    end since."""
    if math.isnan(q) or histogram.count == 0:
        return [math.nan]
    if not 0 <= q <= 1:
        return [math.copysign(math.inf, q)]
    from_below = is_old or q < 0.5 or math.isnan(histogram.sum)
    rank = (q if from_below else 1 - q) * histogram.count
    count, found = 0.0, None
    for bounds, size in sorted(histogram.buckets.items(), reverse=not from_below):
        count, found = count + size, (bounds, size)
        if count >= rank:
            break
    if found is None:
        return [math.nan]
    (lower, upper), size = found
    count = min(count, histogram.count)
    if count < rank:
        return [upper]
    fraction = (rank - (count - size) if from_below else count - rank) / size
    if is_old or lower <= 0 <= upper:
        return [low + (high - low) * fraction for low, high in zero_bounds(lower, upper)]
    low, high = math.log2(abs(lower)), math.log2(abs(upper))
    if lower > 0:
        return [2 ** (low + (high - low) * fraction)]
    return [-(2 ** (high + (low - high) * (1 - fraction)))]


def fractions(lower, upper, histogram, is_old):
    """The fraction between two bounds: linear inside of a bucket before 3.0, exponential since."""
    if math.isnan(lower) or math.isnan(upper) or histogram.count == 0:
        return [math.nan]
    if lower >= upper:
        return [0.0]
    ranks = [[_rank(bound, histogram, is_old, variant) for bound in (lower, upper)] for variant in range(3)]
    return [(high - low) / histogram.count for low, high in ranks]


def _rank(bound, histogram, is_old, variant):
    rank = 0.0
    for (lower, upper), size in sorted(histogram.buckets.items()):
        choices = zero_bounds(lower, upper)
        is_zero = len(choices) > 1
        lower, upper = choices[variant % len(choices)]
        if lower >= bound:
            return min(rank, histogram.count)
        if lower < bound < upper:
            if is_old or is_zero:
                part = (bound - lower) / (upper - lower)
            else:
                low, high, at = (math.log2(abs(one)) for one in (lower, upper, bound))
                part = (at - low) / (high - low) if lower > 0 else 1 - (at - high) / (low - high)
            return min(rank + size * part, histogram.count)
        rank += size
    return histogram.count


def is_coarser(coarse, fine):
    """Whether two histograms are the same at different resolutions: each bucket of one is the sum of those of the other
    that lie inside of it."""
    size = max(abs(coarse.count), 1.0)
    if abs(coarse.count - fine.count) > 1e-9 * size or abs(coarse.sum - fine.sum) > 1e-9 * max(abs(coarse.sum), size):
        return False
    rest = dict(coarse.buckets)
    for (lower, upper), count in fine.buckets.items():
        home = [bounds for bounds in rest if bounds[0] <= lower and upper <= bounds[1]]
        if not home:
            return abs(count) <= 1e-9 * size
        rest[home[0]] -= count
    return all(abs(count) <= 1e-9 * size for count in rest.values())


def extrapolation(times, first, result, start, end):
    """By what factors a histogram's increase is extrapolated to its window, before 3.6 and since, where `result` is the
    count of the increase times the former, and `first` the count of the first sample."""
    sampled = (times[-1] - times[0]) / 1000
    interval = sampled / (len(times) - 1)
    to_start, to_end = (times[0] - start) / 1000, (end - times[-1]) / 1000
    to_end = to_end if to_end < interval * 1.1 else interval / 2
    to_start = to_start if to_start < interval * 1.1 else interval / 2
    old = (sampled + to_start + to_end) / sampled
    increase = result / old
    if increase > 0 and first >= 0:
        to_start = min(to_start, sampled * first / increase)
    return old, (sampled + to_start + to_end) / sampled


def is_reset(before, after):
    """Whether a counter fell between two histograms, the second of which may have wider buckets."""
    if after.count < before.count:
        return True
    fallen = dict.fromkeys(after.buckets, 0.0)
    for (lower, upper), count in before.buckets.items():
        home = [bounds for bounds in after.buckets if bounds[0] <= lower and upper <= bounds[1]]
        if not home:
            return True
        fallen[home[0]] += count
    return any(fallen[bounds] > count for bounds, count in after.buckets.items())

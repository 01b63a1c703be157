"""Numbers and short lists as a reader wants them; every rendering of a report writes them alike."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from statistics import median

NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NONE = "–"
_PREFIXES = ("", "k", "M", "G", "T", "P")
_SHARES = r"\b(accuracy|F1|exact match)\b"  # measures from 0 to 1


def special(value: float | None) -> str | None:
    """The text of a value that is no finite number; None for one that is."""
    if value is None:
        return NONE
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return None


def error(value: float | None) -> str:
    """An error in short: 0, 3e-14, 0.93, 12."""
    if (text := special(value)) is not None:
        return text
    if value == 0:
        return "0"
    if 0.01 <= abs(value) < 1000:
        return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    return _short_exponent(f"{value:.0e}")


def perplexity(value: float | None) -> str:
    """Four significant digits, none of them in scientific notation below a million."""
    if (text := special(value)) is not None:
        return text
    if abs(value) >= 1e6:
        return f"{value:.3e}".replace("e+0", "e").replace("e+", "e")
    return f"{value:.{max(0, 3 - _exponent(value))}f}"


def perplexity_range(values: Iterable[float]) -> str:
    """`1.234` or `1.234 to 1.301`; a NaN is named."""
    values = list(values)
    finite = sorted(value for value in values if not math.isnan(value))
    if not finite:
        return "NaN" if values else NONE
    low, high = perplexity(finite[0]), perplexity(finite[-1])
    text = low if low == high else f"{low} to {high}"
    return text if len(finite) == len(values) else f"{text} and NaN"


def rate(value: float | None) -> str:
    """Tokens per second: `840`, `28.3 k`, `1.25 M`, to three significant digits."""
    if (text := special(value)) is not None:
        return text
    value = float(f"{value:.3g}")
    if abs(value) < 1000:
        return f"{value:g}"
    scale, unit = (1e6, "M") if abs(value) >= 1e6 else (1e3, "k")
    return f"{value / scale:.{max(0, 2 - _exponent(value / scale))}f} {unit}"


def ratio(value: float, low: float, high: float) -> str:
    """`1.9x (1.8 to 2.1)`, with as many digits as tell it from 1."""
    numbers = (value, low, high)
    closest = min((abs(number - 1) for number in numbers if number != 1), default=1.0)
    near_one = any(number < 1.1 for number in numbers)
    digits = 3 if closest < 0.005 else 2 if near_one else 1 if value < 10 else 0
    return f"{value:.{digits}f}x ({low:.{digits}f} to {high:.{digits}f})"


def times(factor: float) -> str:
    """`4.3x`, `21x`, `160x`: a factor that needs no more than two digits."""
    return f"{float(f'{factor:.2g}'):g}x"


def percent(fraction: float | None) -> str:
    """`12 %`, `5 %`, `0.4 %`."""
    if (text := special(fraction)) is not None:
        return text
    return f"{100 * fraction:.0f} %" if fraction >= 0.0995 else f"{100 * fraction:.2g} %"


def megabytes(count: float | None) -> str:
    """Bytes as MB."""
    if (text := special(count)) is not None:
        return text
    return f"{count / 1e6:,.0f}".replace(",", " ") if count >= 9.95e6 else f"{count / 1e6:.1f}"


def kilobytes(count: float | None) -> str:
    """Bytes as kB: `131`, `0.8`."""
    if (text := special(count)) is not None:
        return text
    return f"{count / 1e3:,.0f}".replace(",", " ") if abs(count) >= 9.95e3 else f"{count / 1e3:.1f}"


def milliseconds(seconds: float | None) -> str:
    """Seconds as ms, to three significant digits: `0.530`, `8.80`, `2343`."""
    if (text := special(seconds)) is not None:
        return text
    return f"{1e3 * seconds:.{max(0, 2 - _exponent(1e3 * seconds))}f}"


def scaled(value: float | None, unit: str) -> str:
    """`480 FLOP`, `2.5 MB`, `151 GFLOP/s`: to three significant digits at most."""
    if (text := special(value)) is not None:
        return text
    power = min(max(_exponent(value) // 3, 0), len(_PREFIXES) - 1)
    scaled_down = float(f"{value:.3g}") / 1000**power
    return f"{scaled_down:.3g} {_PREFIXES[power]}{unit}"


def ranges(numbers: Iterable[int]) -> str:
    """`0`, `0 and 1`, `0 to 3, 8`: integers in order, with long runs shortened."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else " and ".join(map(str, run)) for run in runs)


def published(value: float | None) -> str:
    """A figure as it was published or measured: up to four significant digits, large ones as `28.3 k`."""
    if (text := special(value)) is not None:
        return text
    return rate(value) if abs(value) >= 1e4 else f"{value:.4g}"


def is_measure(name: str) -> bool:
    """Whether `name` is that of a measure with a unit of its own."""
    return re.search(rf"{_SHARES}|\bBLEU\b", name) is not None


def measure(name: str, values: list[float]) -> str:
    """The median of `values` and their range, in the unit of the measure `name`: `97.5 % (96.1 to 98.0)`."""
    if not values:
        return NONE
    share = re.search(_SHARES, name) is not None
    middle = math.nan if any(map(math.isnan, values)) else median(values)
    text = _measured(name, middle, share) + (" %" if share and math.isfinite(middle) else "")
    finite = [value for value in values if math.isfinite(value)]
    if len(set(values)) == 1 or not finite:
        return text
    return f"{text} ({_measured(name, min(finite), share)} to {_measured(name, max(finite), share)})"


def _measured(name: str, value: float, share: bool) -> str:
    if (text := special(value)) is not None:
        return text
    if share:
        return f"{100 * value:.1f}"
    if "BLEU" in name:
        return f"{value:.1f}"
    if value and abs(value) < 1e-3:
        return _short_exponent(f"{value:.2e}")
    return published(value) if abs(value) >= 1000 else f"{value:.3g}"


def listing(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def count(number: int, noun: str) -> str:
    """`1 tensor`, `312 tensors`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def all_of(names: list[str], total: int) -> str:
    """`all four`, `both`, or the names, when `names` are out of `total`."""
    if len(names) == total and total > 1:
        return "both" if total == 2 else f"all {NUMBER_WORDS[total] if total < len(NUMBER_WORDS) else total}"
    return listing(names)


def slug(text: str) -> str:
    """`text` as part of a file name and of an HTML id."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-") or "task"


def _short_exponent(text: str) -> str:
    return re.sub(r"e([+-])0*", lambda sign: "e-" if sign[1] == "-" else "e", text)


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(float(f"{value:.4g}")))) if value else 0

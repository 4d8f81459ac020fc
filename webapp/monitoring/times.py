"""Which time a panel shows, and in which steps."""

import math
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from webapp.problems import Problem

SCRAPE_INTERVAL_S = 15
MAX_POINTS = 11_000
DEFAULT_FROM, DEFAULT_TO = "now-1h", "now"
_DAY_S = 86_400
# Points that a panel without a width of its own has, and pixels that each of them takes.
_DEFAULT_WIDTH = 600
_PIXELS = 2
_STEPS = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_RELATIVE = re.compile(r"now(?:-(\d{1,7})([smhdw]))?", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": _DAY_S, "w": 7 * _DAY_S}


@dataclass(frozen=True)
class Window:
    """A time in seconds since 1970, begin and end on whole steps, and the step in seconds.

    `now`: its end as it was asked for, for queries of one moment.
    """

    start: int
    end: int
    step: int
    now: int

    @property
    def seconds(self) -> int:
        """Length of the time; at least a step."""
        return max(self.step, self.end - self.start)

    @property
    def moments(self) -> range:
        """The moments at which a range query answers."""
        return range(self.start, self.end + 1, self.step)

    def rate_interval(self, scrape_interval: int = SCRAPE_INTERVAL_S) -> int:
        """Return Grafana's $__rate_interval: it always holds enough samples for rate().

        https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/
        """
        return max(self.step + scrape_interval, 4 * scrape_interval)


def window(
    start: str,
    end: str,
    *,
    step: int | None = None,
    width: int | None = None,
    retention_days: int,
    now: float | None = None,
) -> Window:
    """Return a time; its ends are like "now-6h", in RFC 3339, or seconds or milliseconds since 1970.

    Without a step one is chosen from the panel's width in pixels. Raises Problem validation-failed for what
    is no time, ends before it begins, reaches back further than the retention, or has too many points.
    """
    now = time.time() if now is None else now
    begins, ends = _moment(start, "from", now), _moment(end, "to", now)
    if begins >= ends:
        raise _wrong("from", f"The time must begin before it ends: {start[:40]} is not before {end[:40]}")
    # An hour of grace: what was "15 days ago" when the page was opened is older by now.
    if begins < now - retention_days * _DAY_S - 3600:
        raise _wrong("from", f"Measurements are kept for {retention_days} days; choose a later begin")
    if ends > now + _DAY_S:
        raise _wrong("to", "This lies in the future; choose an earlier end")
    if step is None:
        step = _step(ends - begins, width or _DEFAULT_WIDTH)
    elif step < SCRAPE_INTERVAL_S:
        raise _wrong(
            "step", f"Measurements come every {SCRAPE_INTERVAL_S} seconds; choose at least that step"
        )
    if (ends - begins) / step > MAX_POINTS - 1:
        least = math.ceil((ends - begins) / (MAX_POINTS - 1))
        raise _wrong(
            "step", f"That is more than {MAX_POINTS} points; choose a step of at least {least} seconds"
        )
    # Whole steps keep the points in their places when the time moves on.
    return Window(int(begins // step) * step, int(ends // step) * step, step, int(ends))


def _step(seconds: float, width: int) -> int:
    wanted = seconds / max(1, width / _PIXELS)
    return next((step for step in _STEPS if step >= wanted), _STEPS[-1])


def _moment(text: str, field: str, now: float) -> float:
    text = text.strip()
    relative = _RELATIVE.fullmatch(text)
    if relative:
        return now - (int(relative[1]) * _UNITS[relative[2]] if relative[1] else 0)
    try:
        if re.fullmatch(r"\d{9,13}", text, re.ASCII):
            return int(text) / 1000 if len(text) > 10 else int(text)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise _wrong(
            field, f"'{text[:40]}' is no time: write it like now-6h or 2026-01-31T12:00:00Z"
        ) from error


def _wrong(field: str, words: str) -> Problem:
    return Problem("validation-failed", f"{words}.", field=field)

"""Another date and time for a model that is loaded afterwards, without any library for it.

Moved is what Python code asks for: the functions of `time`, and `now`, `today` and `utcnow` of
`datetime` and pandas. Not moved are numpy's `datetime64("now")`, code in C, files' times, and what
a module took from `datetime` before.
"""

import datetime as dt
import time
from typing import Any

DAY = 86_400.0

_datetime, _date = dt.datetime, dt.date
_time, _localtime, _gmtime, _strftime = time.time, time.localtime, time.gmtime, time.strftime
_clock_gettime = time.clock_gettime


class Clock:
    """How far, in seconds, the clock of this process is ahead of the machine's."""

    ahead = 0.0


class _Real(type):
    """Has what the real classes make count as instances of those that stand for them."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__mro__[1])

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.__mro__[1])


class _MovedDate(dt.date, metaclass=_Real):
    @classmethod
    def today(cls) -> Any:
        return _date.fromtimestamp(now())


class _MovedDatetime(dt.datetime, metaclass=_Real):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return _datetime.fromtimestamp(now(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return _datetime.fromtimestamp(now(), dt.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        return _datetime.fromtimestamp(now())


def now() -> float:
    """Seconds since 1970, by the moved clock."""
    return _time() + Clock.ahead


def _moved_clock(which: int) -> float:
    return now() if which == time.CLOCK_REALTIME else _clock_gettime(which)


def move(ahead: float) -> None:
    """Have the clock of this process be so many seconds ahead of the machine's."""
    Clock.ahead = ahead
    moved: dict[str, Any] = {
        "time": now,
        "time_ns": lambda: int(now() * 1e9),
        "clock_gettime": _moved_clock,
        "clock_gettime_ns": lambda which: int(_moved_clock(which) * 1e9),
        "localtime": lambda seconds=None: _localtime(now() if seconds is None else seconds),
        "gmtime": lambda seconds=None: _gmtime(now() if seconds is None else seconds),
        "ctime": lambda seconds=None: time.asctime(time.localtime(seconds)),
        "strftime": lambda form, moment=None: _strftime(form, moment or time.localtime()),
    }
    for name, function in moved.items():
        setattr(time, name, function)
    for module, name, kind in (
        (dt, "datetime", _MovedDatetime),
        (dt, "date", _MovedDate),
    ):
        setattr(module, name, kind)
    _move_pandas()


def _move_pandas() -> None:
    import pandas as pd

    def stamp(tz: Any = None) -> Any:
        if tz is None:
            return pd.Timestamp(dt.datetime.now())  # noqa: DTZ005 (as the real one)
        return pd.Timestamp(now(), unit="s", tz="UTC").tz_convert(tz)

    moved = {"now": stamp, "today": stamp, "utcnow": lambda: stamp("UTC")}
    for name, function in moved.items():
        setattr(pd.Timestamp, name, staticmethod(function))

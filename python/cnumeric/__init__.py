"""cNumeric: NumPy that records, plans and replays.

``import cnumeric as np`` and run a NumPy program. Calls are recorded; they run, fused and on everything the machine
has, when a value is needed.

``__version__`` is that of the NumPy whose API this is, because programs ask `np.__version__` what they can call;
``__cnumeric_version__`` is our own.
"""

from __future__ import annotations

from typing import Any

from . import _net  # noqa: F401

# isort: split
import numpy

from . import (  # noqa: F401
    _cnumeric,
    _composed,
    _creation,
    _einsum,
    _factor,
    _fallback,
    _files,
    _fourier,
    _functions,
    _gufuncs,
    _histograms,
    _index,
    _interop,
    _linalg,
    _manipulation,
    _modules,
    _order,
    _padding,
    _products,
    _reductions,
    _sets,
    _signal,
    _spectral,
    _statistics,
    _strides,
)
from ._cnumeric import (  # noqa: F401
    explain,
    flush,
    ndarray,
    settings,
    stats,
    stats_reset,
    synchronize,
    ufunc,
)
from ._fallback import FallbackWarning  # noqa: F401
from ._modules import coverage  # noqa: F401

__version__: str = numpy.__version__
__cnumeric_version__: str = _cnumeric.info("version") or "0"

_composed.register_extension()
_modules.install()
__all__ = list(numpy.__all__)

_ours = ("coverage", "explain", "flush", "settings", "stats", "stats_reset", "synchronize", "FallbackWarning")


def __getattr__(name: str) -> Any:
    if name.startswith("__") and name not in vars(numpy):
        raise AttributeError(f"module 'cnumeric' has no attribute {name!r}")
    value = _modules.publish(getattr(numpy, name), f"numpy.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*dir(numpy), *_ours, "__cnumeric_version__"} - {"_ours"})

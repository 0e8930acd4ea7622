"""Arrays of other libraries on a GPU: `from_dlpack` takes them where they are."""

from __future__ import annotations

from typing import Any

import numpy

from . import _cnumeric
from ._composed import functions
from ._fallback import call

_cuda = 2
_default_stream = 1


def from_dlpack(x: Any, /, *, device: Any = None, copy: Any = None) -> Any:
    """Give an array on the memory that `x` shows by ``__dlpack__``, on a GPU or on the host.

    Parameters
    ----------
    x : object
        With ``__dlpack__`` and ``__dlpack_device__``.
    device : str, optional
        "cpu": values come to the host. By default they stay where they are, unlike in NumPy, which knows no GPU.
    copy : bool, optional
        True: memory of its own; False: `BufferError` if there is no other way.

    Returns
    -------
    ndarray
        A view, unless copied.
    """
    where = getattr(x, "__dlpack_device__", None)
    if device is not None or where is None or where()[0] != _cuda:
        return call(numpy.from_dlpack, "", (x,), {"device": device, "copy": copy})
    array = _cnumeric.from_device_capsule(x.__dlpack__(stream=_default_stream))
    return array.copy() if copy else array


from_dlpack.__text_signature__ = numpy.from_dlpack.__text_signature__  # type: ignore[attr-defined]
from_dlpack.__cnumeric__ = "composed"  # type: ignore[attr-defined]
functions["numpy.from_dlpack"] = from_dlpack

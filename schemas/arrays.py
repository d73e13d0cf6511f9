"""The types of the arrays that columns and spans are made of."""

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def read_only(data: Bytes) -> Bytes:
    """Return a read-only view of a buffer, so that compiled functions meet one type of buffer only."""
    view = data.view()
    view.flags.writeable = False
    return view

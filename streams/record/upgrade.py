"""Records that an earlier release stored, brought to the current layout."""

from loanpulse.streams.record import layout_v1
from loanpulse.streams.record.layout import BORROWER, VERSION


def upgrade(raw: bytes) -> tuple[bytes, bytes]:
    """Return the bytes of a stored record in the current layout, and the bytes of the undo log stored behind it.

    Records of layout 1 were stored without an undo log.

    Raises:
        ValueError: the bytes are not a record of a layout that this version knows.
    """
    if len(raw) >= BORROWER.itemsize and raw[0] == VERSION:
        return raw[: BORROWER.itemsize], raw[BORROWER.itemsize :]
    if len(raw) == layout_v1.BORROWER_V1.itemsize and raw[0] == layout_v1.VERSION:
        return layout_v1.upgraded(raw), b""
    raise ValueError(
        f"a borrower record of {len(raw)} bytes, layout {raw[0] if raw else 'none'}, is not known to this version "
        f"(layout {VERSION}, {BORROWER.itemsize} bytes): rebuild the state with a replay from the topics' start"
    )

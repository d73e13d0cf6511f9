"""The contacts that alerts have advised: read from a borrower's record, planned for a batch, noted by its owner."""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from loanpulse.streams.record.layout import NO_TIME_S, Record, Records
from loanpulse.streams.record.units import ms_of, seconds_of


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact that an alert advised: the borrower's row, the hash of the lender, and the time (ms)."""

    row: int
    lender: int
    at_ms: int


def lender_hash(lender_id: str) -> int:
    """Return the 16 bits, never all 0, that separate the contacts of one lender from another's in a record."""
    return int.from_bytes(hashlib.sha256(lender_id.encode()).digest()[:2], "big") or 1


def note_contact(record: Record, contact: Contact) -> None:
    """Write a contact into a borrower's record, in place of the oldest."""
    oldest = int(np.argmin(np.where(record["contact_lender"] == 0, NO_TIME_S, record["contact_at"])))
    record["contact_at"][oldest], record["contact_lender"][oldest] = seconds_of(contact.at_ms), contact.lender


@dataclass(slots=True)
class ContactPlan:
    """The contacts of one batch of alerts. Each is seen by those planned after it; ``records`` are only read."""

    records: Records
    contacts: list[Contact] = field(default_factory=list)
    _copies: dict[int, Record] = field(default_factory=dict)

    def times_ms(self, row: int, lender: int) -> list[int]:
        """Return the times (ms) of a lender's contacts with a borrower, noted or planned."""
        record = self._copies[row] if row in self._copies else self.records[row]
        pairs = zip(record["contact_at"].tolist(), record["contact_lender"].tolist(), strict=True)
        return [ms_of(at) for at, of in pairs if of == lender]

    def add(self, contact: Contact) -> None:
        """Plan a contact."""
        if contact.row not in self._copies:
            self._copies[contact.row] = self.records[[contact.row]][0]
        note_contact(self._copies[contact.row], contact)
        self.contacts.append(contact)

"""Why a record is refused: the closed list of codes that dead letters and the publisher share."""

from __future__ import annotations

from enum import IntEnum


class Violation(IntEnum):
    """A reason to refuse a record. Values are small and stable: compiled code keeps them in uint8 columns."""

    NONE = 0
    NO_VALUE = 1
    BAD_MAGIC = 2
    UNKNOWN_SCHEMA = 3
    UNDECODABLE = 4
    KEY_MISMATCH = 5
    WRONG_PARTITION = 6
    AMOUNT_MISSING = 7
    AMOUNT_NEGATIVE = 8
    DUE_DATE_MISSING = 9
    USAGE_MISSING = 10
    UNKNOWN_KIND = 11
    ID_INVALID = 12
    CURRENCY_NOT_TAKEN = 13
    TIME_IN_FUTURE = 14
    TOO_LATE = 15
    ORDER_INVALID = 16

    @property
    def sentence(self) -> str:
        """One sentence for a person: what is wrong and what to do. It has no data of the record."""
        return _SENTENCES[self]

    @property
    def stage(self) -> str:
        """Where it is found: DECODE, CONTRACT or STREAM."""
        if self <= Violation.UNDECODABLE:
            return "DECODE"
        return "CONTRACT" if self <= Violation.CURRENCY_NOT_TAKEN else "STREAM"


_SENTENCES = {
    Violation.NONE: "The record is valid.",
    Violation.NO_VALUE: "The record has no value; send the event as Avro in the Confluent wire format.",
    Violation.BAD_MAGIC: "The value does not start with the byte 0 and a schema id; "
    "send Avro in the Confluent wire format.",
    Violation.UNKNOWN_SCHEMA: "The schema id in the value is not known here; register the writer's schema, "
    "or publish with a contract of this version.",
    Violation.UNDECODABLE: "The body cannot be read with its schema; it is cut short, damaged or of another schema.",
    Violation.KEY_MISMATCH: "The record's key is not the value's borrower_id; use borrower_id (UTF-8) as the key.",
    Violation.WRONG_PARTITION: "The record is in another partition than the murmur2 hash of its key says; "
    "set the producer's partitioner to murmur2_random (Java's default).",
    Violation.AMOUNT_MISSING: "This kind of event needs an amount.",
    Violation.AMOUNT_NEGATIVE: "Amounts must be zero or more; the kind tells the direction.",
    Violation.DUE_DATE_MISSING: "This kind of event needs a due_date, which names the instalment or the bill.",
    Violation.USAGE_MISSING: "A METER_READ needs usage, a finite number that is zero or more.",
    Violation.UNKNOWN_KIND: "The kind or the utility is not one that this version of the contract knows.",
    Violation.ID_INVALID: "event_id must be a UUID; borrower_id and loan_id 1 to 64, and lender_id 1 to 24, "
    "printable ASCII characters without spaces.",
    Violation.CURRENCY_NOT_TAKEN: "The currency is not the one that this deployment accepts (streams.currency).",
    Violation.TIME_IN_FUTURE: "The event_time is later than the record's timestamp by more than the tolerance "
    "(streams.max_clock_skew_seconds), or after 2079; check the sender's clock.",
    Violation.TOO_LATE: "The event_time is further behind its source than the allowed lateness "
    "(streams.allowed_lateness_days), or before 2000-01-01; use `loanpulse replay` for history.",
    Violation.ORDER_INVALID: "The directive is invalid; the worker's log has the reason. Check a policy with "
    "`loanpulse policy check`; publish directives with `loanpulse policy activate` or `loanpulse alerts suppress`.",
}

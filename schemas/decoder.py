"""Many values of one contract to columns at once. One bad value never disturbs the others."""

from collections.abc import Sequence

import numpy as np

from loanpulse.schemas import contracts
from loanpulse.schemas.arrays import Flags
from loanpulse.schemas.column_plan import Plan, UnsupportedSchema, layout_of, plan_for
from loanpulse.schemas.columns import Columns
from loanpulse.schemas.contracts import Contract
from loanpulse.schemas.decode_compiled import decode_bodies, read_headers
from loanpulse.schemas.registry import SchemaRegistry, UnknownSchema
from loanpulse.schemas.spans import Spans
from loanpulse.schemas.violations import Violation

NO_VALUE, UNKNOWN_SCHEMA, UNDECODABLE = (
    int(Violation.NO_VALUE),
    int(Violation.UNKNOWN_SCHEMA),
    int(Violation.UNDECODABLE),
)


class ColumnDecoder:
    """Decodes the values of one contract, written with any schema that the registry knows."""

    def __init__(self, contract: Contract, registry: SchemaRegistry) -> None:
        self._reader = contracts.load(contract)
        self._registry = registry
        self.layout = layout_of(self._reader)
        self._plans: dict[int, Plan] = {}

    def decode(self, values: Sequence[bytes | None] | Spans) -> Columns:
        """Decode whole values (header included).

        Raises:
            RegistryUnavailable: a schema id is new and the registry can't be asked now.
        """
        spans = values if isinstance(values, Spans) else Spans.of(values)
        columns = Columns.empty(len(spans), spans.data, self.layout)
        self.decode_into(columns, spans, np.ones(len(spans), np.bool_))
        return columns

    def decode_into(self, columns: Columns, spans: Spans, wanted: Flags) -> None:
        """Decode the wanted values into their rows of ``columns``, whose ``data`` is that of ``spans``.

        Raises:
            RegistryUnavailable: a schema id is new and the registry can't be asked now.
        """
        columns.errors[wanted & spans.missing] = NO_VALUE
        errors = np.where(wanted, columns.errors, UNDECODABLE).astype(np.uint8)
        schema_ids = np.full(len(spans), -1, np.int64)
        read_headers(spans.arrays, errors, schema_ids)
        columns.errors[wanted] = errors[wanted]
        for schema_id in np.unique(schema_ids[errors == 0]).tolist():
            self._decode_group(schema_id, (schema_ids == schema_id) & (errors == 0), spans, columns)

    def _decode_group(self, schema_id: int, chosen: Flags, spans: Spans, columns: Columns) -> None:
        plan = self._plan(schema_id)
        if plan is None:
            columns.errors[chosen] = UNKNOWN_SCHEMA
            return
        for path in plan.missing:
            self._fill_default(path, chosen, columns)
        decode_bodies(spans.arrays, chosen, plan.steps, plan.symbols, columns.arrays)

    def _fill_default(self, path: str, chosen: Flags, columns: Columns) -> None:
        column = self.layout.columns[path]
        default = column.default
        if default is None:
            return
        columns.present[chosen, column.number] = True
        if column.kind == "integer" and isinstance(default, (int, bool)):
            columns.integers[chosen, column.place] = int(default)
        elif column.kind == "real":
            columns.reals[chosen, column.place] = float(default)

    def _plan(self, schema_id: int) -> Plan | None:
        if schema_id not in self._plans:
            try:
                self._plans[schema_id] = plan_for(self._registry.schema(schema_id), self._reader, self.layout)
            except (UnknownSchema, UnsupportedSchema):
                return None  # not remembered: it may be registered later
        return self._plans[schema_id]

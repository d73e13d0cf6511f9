"""Replaying a lender's files with learning on."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from loanpulse.evaluation.backtest.backtest import Backtest
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.contracts import Level
from loanpulse.schemas.json_form import milliseconds
from loanpulse.schemas.lines import EventLine, LineError, read_lines
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.registry import SchemaRegistry
from loanpulse.schemas.topics import ALERT_FEEDBACK, MODEL_SNAPSHOTS, REPAYMENT_EVENTS
from loanpulse.streams.alerts.scored import Scored
from loanpulse.streams.alerts.snapshots import lenders_shown
from loanpulse.streams.directives.directives import DirectiveError
from loanpulse.streams.engine.engine import Engine, EngineOptions
from loanpulse.streams.learning import contract_values
from loanpulse.streams.learning.labels import LabelOptions, Prediction
from loanpulse.streams.learning.learning_loop import LearningState
from loanpulse.streams.learning.outputs import Output, Version
from loanpulse.streams.learning.trainer import TrainerOptions
from loanpulse.streams.models.scorecard import WeightsError
from loanpulse.streams.models.versions import served_in_force
from loanpulse.streams.policy.policy_file import Policy
from loanpulse.streams.replay.log_files import EventLog
from loanpulse.streams.replay.replay import Replay, ReplayReport
from loanpulse.streams.scoring.score import Score

LINES_AT_ONCE = 20_000


class BacktestRun:
    """Drives replay, the label queue and the trainer over the same lines.

    A version that the trainer puts in force scores from the next piece of the files on, as it would in workers; so
    does one that a person put in force by a line of the files.
    """

    def __init__(
        self,
        options: EngineOptions,
        policy: Policy,
        registry: SchemaRegistry,
        ledger: LabelOptions,
        trainer: TrainerOptions,
    ) -> None:
        codec = Codec(registry)
        self._replay = Replay(Engine(options, policy, registry), codec)
        self._log = EventLog(codec, registry, options.partitions)
        self._partitions = options.partitions
        self._state = LearningState.new(ledger, trainer)
        self._sampled: dict[bytes, int] = {}
        self._sample_ms = ledger.sample_ms
        self.backtest = Backtest(trainer.horizon_days)

    def run(self, paths: Sequence[Path], progress: Callable[[int], None] = lambda events: None) -> ReplayReport:
        """Go through the files; ``progress`` is called with the number of events processed. Raises OSError."""
        report = self._replay.report
        for path in paths:
            lines = read_lines(path)
            while piece := list(islice(lines, LINES_AT_ONCE)):
                self._replay.offer(str(path), self._log.piece_of(list(self._good(str(path), piece))))
                for scored in self._replay.advance():
                    self._note_scored(scored)
                self._learn()
                progress(report.events)
        for scored in self._replay.finish(None):
            self._note_scored(scored)
        self._learn(to_the_end=True)
        return report

    def _good(self, path: str, lines: Sequence[EventLine | LineError]) -> Iterator[EventLine]:
        for line in lines:
            if isinstance(line, LineError):
                self._replay.refuse(path, line.number, line.code, line.message)
            else:
                self._note(path, line)
                yield line

    def _note(self, path: str, line: EventLine) -> None:
        if line.value is None:
            return
        if line.topic == REPAYMENT_EVENTS:
            partition = partition_of(line.key, self._partitions)
            self._state.labeller.add_repayment(partition, contract_values.repayment_of(line.value))
        elif line.topic == MODEL_SNAPSHOTS:
            self._follow(path, line, line.value)
        elif line.topic == ALERT_FEEDBACK and line.value["outcome"] == "CONTACTED":
            self.backtest.note_contact(line.value["borrower_id"], milliseconds(line.value["event_time"]))

    def _follow(self, path: str, line: EventLine, value: dict[str, Any]) -> None:
        """Apply a person's decision about a version, as workers and trainer do; skip those of the log's trainer."""
        if value["decided_by"] == contract_values.TRAINER:
            return
        try:
            self._replay.engine.directives.add(MODEL_SNAPSHOTS, value)
            served = served_in_force(value)
        except (DirectiveError, WeightsError) as error:
            self._replay.refuse(path, line.number, "ORDER_INVALID", str(error))
            return
        if served is not None:
            self._state.examples.trainer.put_in_force(value["model_version"], served)

    def _note_scored(self, scored: Scored) -> None:
        scores = scored.scores
        self._replay.report.snapshots += len(scores)
        # A restatement has warned nobody at its event time, so it is no prediction.
        places = np.flatnonzero(scores["restated"] == 0)
        first = scores[places]
        columns = zip(scored.keys[places].tolist(), first["time"].tolist(), first["level"].tolist(), strict=True)
        for place, (key, time, level) in zip(places.tolist(), columns, strict=True):
            self.backtest.note_level(key.decode(), time, level)
            bucket = time // self._sample_ms
            if self._sampled.get(key) == bucket:
                continue
            self._sampled[key] = bucket
            prediction = prediction_of_score(
                scores[place], key.decode(), scored.ids[place].decode(), scored.model_version
            )
            self._state.labeller.add_snapshot(partition_of(key, self._partitions), prediction)
        scored.release()

    def _learn(self, *, to_the_end: bool = False) -> None:
        for partition in range(self._partitions):
            for matured in self._state.labeller.matured(partition, repayments_done=True):
                self._state.examples.add(partition, matured)
                if matured.horizon_days == self.backtest.horizon_days:
                    self.backtest.matured.append(matured)
        idle = dict.fromkeys(range(self._partitions), to_the_end)
        outputs = list(self._state.examples.close(idle, {}))
        self.backtest.note_outputs(outputs)
        self._put_in_force(outputs)

    def _put_in_force(self, outputs: Sequence[Output]) -> None:
        for one in outputs:
            if isinstance(one, Version) and one.in_force:
                self._replay.engine.directives.add(MODEL_SNAPSHOTS, contract_values.version_value(one, []))


def prediction_of_score(score: Score, borrower_id: str, snapshot_id: str, model_version: str) -> Prediction:
    """Return what the label queue keeps of a scoring."""
    lenders = lenders_shown(score["lender"][None])[0].tolist()
    parts = (score[name].tolist() for name in ("value", "utility", "evidence", "points", "age_days"))
    return Prediction(
        snapshot_id,
        borrower_id,
        int(score["time"]),
        int(score["known_at"]),
        float(score["lhi"]),
        float(score["pd"]),
        Level(int(score["level"])).name,
        model_version,
        tuple(lender.decode() for lender in lenders if lender),
        int(score["days_past_due"]),
        int(score["open_loans"]),
        tuple(zip(*parts, strict=True)),
    )

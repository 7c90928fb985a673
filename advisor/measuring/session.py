"""Carry out an order: convert every network, time all of them in sessions, weigh them, store it.

One network's failure is noted and the rest goes on; an interruption keeps what is done.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from advisor.core.plug_in import blamed
from advisor.errors import AdvisorError, MeasurementError
from advisor.hardware.library import advisor_home
from advisor.measuring import cpu, environment, exports
from advisor.measuring.child import Ending, Runner, run_child
from advisor.measuring.converting import converted
from advisor.measuring.gathering import Gathering, gathered
from advisor.measuring.jobs import Job, Kind
from advisor.measuring.journal import Event, JobClaim, Reader, abandoned
from advisor.measuring.order import Order, Way, Wish, grouped
from advisor.measuring.runtimes import load, where
from advisor.measuring.stability import MANY
from advisor.measuring.store import FigureRecord, MeasurementStore, SessionRecord

LOCK = Path(tempfile.gettempdir()) / f"advisor-measuring-{os.getuid()}.lock"
"""Shared by all sessions of a user on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A network that could not be measured in a lane, or a whole lane."""

    way: str
    network: str
    """Empty where the runtime itself cannot be used."""
    reason: str

    @property
    def line(self) -> str:
        """One line for people."""
        what = f"{self.network} in {self.way}" if self.network else self.way
        return f"{what}: {self.reason}"


@dataclass(kw_only=True)
class MeasuredOutcome:
    """What became of an order."""

    run: str
    failures: list[Failure] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is going on, for the one who waits."""

    text: str
    done: float
    """Seconds of work behind it, as planned."""
    total: float
    """Seconds of all work, as planned."""


Tell = Callable[[Step], None]


@dataclass(kw_only=True)
class Measuring:
    """A run under way."""

    order: Order
    store: MeasurementStore
    tell: Tell
    run_job: Runner = run_child
    sleep: Callable[[float], None] = time.sleep
    origin: str = "here"
    lock: Path | None = LOCK
    """File that keeps sessions of several processes apart; None where nothing is timed."""
    outcome: MeasuredOutcome = field(init=False)
    _ready: dict[Way, list[Wish]] = field(default_factory=dict)
    _done: float = 0.0

    def run(self, *, resume: bool = False) -> MeasuredOutcome:
        """Do everything; return what became of it, also after Ctrl-C."""
        take_abandoned(self.store)
        self.outcome = MeasuredOutcome(run=self._run_name(resume))
        try:
            with exports.in_use():
                self._prepare()
                self._time()
                if self.order.memory:
                    self._weigh()
        except KeyboardInterrupt:
            self.outcome.interrupted = True
        return self.outcome

    def _run_name(self, resume: bool) -> str:
        """Name this run, or take up the newest one that measured the same."""
        mine = [s.run for s in self.store.sessions() if s.run.startswith(self.order.digest)]
        if resume and mine:
            return mine[-1]
        return f"{self.order.digest}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"

    # Conversion

    def _prepare(self) -> None:
        for way in self.order.ways:
            reason = _against(way)
            if reason is not None:
                self.outcome.failures.append(Failure(way=way.label, network="", reason=reason))
                continue
            self._ready[way] = converted(
                self.order,
                way,
                failed=lambda network, reason, way=way: self._failed(way, network, reason),  # type: ignore[misc]
                say=self._say,
                run_job=self.run_job,
                reference=True,
            )

    # Timing

    def _time(self) -> None:
        ended: dict[tuple[Way, tuple[Wish, ...]], float] = {}
        for number in range(1, self.order.sessions + 1):
            for way, ready in self._ready.items():
                done = self._measured(way, number)
                for group in grouped([w for w in ready if w.spelling not in done]):
                    self._rest(ended.get((way, group)))
                    self._session(way, group, number)
                    ended[way, group] = time.monotonic()

    def _rest(self, since: float | None) -> None:
        """Wait until the pause after a group's last session is over."""
        left = 0.0 if since is None else self.order.pause - (time.monotonic() - since)
        if left > 0:
            self._say(f"pausing {left:.0f} s between sessions")
            self.sleep(left)

    def _measured(self, way: Way, number: int) -> set[str]:
        """Networks whose figure of one session this run already has."""
        lane = way.lane(self.order.device)
        least = self.order.plan.least_rounds * self.order.plan.least_passes
        return {
            figure.spelling
            for session in self.store.sessions(run=self.outcome.run)
            if (session.lane, session.number) == (lane, number)
            for figure in self.store.figures(session=session.id)
            if not figure.failure and (session.status == "finished" or figure.passes >= least)
        }

    def _session(self, way: Way, group: tuple[Wish, ...], number: int) -> None:
        """Time a group once; repeat it where it was disturbed and keep the quieter one."""
        planned = self.order.budget * (len(group) + 1)
        best: tuple[float, str] | None = None
        for _ in range(1 + self.order.repeats):
            self._say(f"timing {len(group)} networks in {way.label}, session {number}")
            session, disturbed = self._timed(way, group, number)
            if best is not None:
                worse = session if disturbed >= best[0] else best[1]
                self.store.supersede(worse)
            if best is None or disturbed < best[0]:
                best = (disturbed, session)
            if disturbed <= MANY:
                break
        self._done += planned

    def _timed(self, way: Way, group: tuple[Wish, ...], number: int) -> tuple[str, float]:
        """Run one session; return its id and how much it was disturbed."""
        wishes = self.order.with_reference(group)
        wishes = [w for w in wishes if exports.kept(self._key(w, way)) is not None]
        session = self._new_session(way, number)
        figures = [self._figure(session, way, i, w) for i, w in enumerate(wishes)]
        found = Gathering(session=session.id, threads=session.threads)
        status, lost = "interrupted", ""
        claim = JobClaim(_journal(session.id))
        claim.take()
        # noted behind its journal: one that is killed between the two would run for ever
        self.store.begin(session, figures)
        try:
            with _alone(self.lock, self._say):
                ending = self._start("time", way, wishes, found.take, session=session.id)
            status = "finished" if found.ended else "failed"
            lost = "" if ending.code == 0 else ending.reason
        finally:
            self._conclude(found, figures, status, lost)
            claim.release()
        self.outcome.sessions.append(session.id)
        self._note_failures(way, figures, found, lost)
        judged = found.judgments()
        disturbed = max((j.disturbed for j in judged.values()), default=0.0)
        return session.id, max(disturbed, found.machine.steal)

    def _conclude(
        self, found: Gathering, figures: Sequence[FigureRecord], status: str, lost: str
    ) -> None:
        self.store.conclude(
            found.session,
            status=status,
            ended=_now(),
            figures=found.figures(figures, lost=lost),
            samples=found.samples,
        )
        _journal(found.session).unlink(missing_ok=True)

    def _note_failures(
        self, way: Way, figures: Sequence[FigureRecord], found: Gathering, lost: str
    ) -> None:
        for figure in found.figures(figures, lost=lost):
            if figure.failure and not figure.reference:
                self._failed(way, figure.spelling, figure.failure)

    # Memory

    def _weigh(self) -> None:
        """Measure the memory of each network in a process of its own, once."""
        for way, ready in self._ready.items():
            for wish in ready:
                figure = self._unweighed(way, wish)
                if figure is not None:
                    self._say(f"weighing {wish.spelling} in {way.label}")
                    self._weigh_one(way, wish, figure)

    def _unweighed(self, way: Way, wish: Wish) -> FigureRecord | None:
        lane = way.lane(self.order.device)
        mine = [
            figure
            for session in self.store.sessions(run=self.outcome.run)
            if session.lane == lane
            for figure in self.store.figures(session=session.id)
            if figure.spelling == wish.spelling and figure.latency is not None
        ]
        if not mine or any(figure.peak_memory is not None for figure in mine):
            return None
        return mine[-1]

    def _weigh_one(self, way: Way, wish: Wish, figure: FigureRecord) -> None:
        def follow(event: Event) -> None:
            if event["e"] == "memory":
                self.store.amend(figure, peak_memory=event["peak"], added_memory=event["added"])

        self._start("memory", way, [wish], follow)

    # Processes

    def _start(
        self,
        kind: Kind,
        way: Way,
        wishes: Sequence[Wish],
        follow: Callable[[Event], None],
        *,
        session: str | None = None,
    ) -> Ending:
        timing = kind == "time"
        name = session or f"{kind}-{uuid.uuid4().hex}"
        journal = _journal(name) if timing else Path(tempfile.gettempdir()) / f"{name}.jsonl"
        budget = self.order.budget * len(wishes)
        job = Job(
            kind=kind,
            journal=str(journal),
            measurer=where(way.name),
            settings=way.settings,
            items=tuple(self.order.item(w, way, i) for i, w in enumerate(wishes)),
            cpus=tuple(self._cpus(way)) if kind != "prepare" else (),
            plan=replace(self.order.plan, budget=budget),
            calibration=str(self.order.calibration or ""),
            labelled=str(self.order.labelled or ""),
        )
        try:
            return self.run_job(job, follow, 3600.0 * len(wishes))
        finally:
            if not timing:
                journal.unlink(missing_ok=True)

    def _cpus(self, way: Way) -> list[int]:
        return cpu.chosen(way.settings.threads) if self.order.pin else []

    def _key(self, wish: Wish, way: Way) -> str:
        return self.order.item(wish, way, 0).key

    def _new_session(self, way: Way, number: int) -> SessionRecord:
        packages = exports.versions_of(way.packages)
        lane = way.lane(self.order.device)
        return SessionRecord(
            id=uuid.uuid4().hex,
            run=self.outcome.run,
            number=number,
            device=lane.device,
            unit=lane.unit,
            runtime=lane.runtime,
            precision=lane.precision,
            threads=lane.threads,
            batch=lane.batch,
            machine=environment.machine_id(),
            packages=", ".join(f"{name} {version}" for name, version in packages.items()),
            environment=json.dumps(environment.capture(packages, self._cpus(way))),
            origin=self.origin,
            started=_now(),
        )

    def _figure(self, session: SessionRecord, way: Way, position: int, wish: Wish) -> FigureRecord:
        export = exports.kept(self._key(wish, way))
        assert export is not None, wish.spelling
        return FigureRecord(
            session=session.id,
            position=position,
            network=wish.network,
            resolution=wish.resolution,
            spelling=wish.spelling,
            reference=wish == self.order.reference,
            export=export.folder.name,
            export_seconds=export.seconds,
            output_error=export.error,
            top1=export.top1,
            top1_float=export.top1_float,
        )

    def _failed(self, way: Way, network: str, reason: str) -> None:
        failure = Failure(way=way.label, network=network, reason=reason)
        if failure not in self.outcome.failures:
            self.outcome.failures.append(failure)

    def _say(self, text: str) -> None:
        groups = sum(len(list(grouped(ready))) for ready in self._ready.values())
        networks = sum(len(ready) for ready in self._ready.values())
        total = self.order.sessions * self.order.budget * (networks + groups)
        self.tell(Step(text=text, done=self._done, total=total))


def _against(way: Way) -> str | None:
    """Why a way cannot be measured here; None where it can."""
    try:
        measurer = load(way.name)
        with blamed(f"runtime {way.name!r}"):
            return measurer.missing() or measurer.refusal(way.settings)
    except AdvisorError as error:
        return str(error)


def take_abandoned(store: MeasurementStore, folder: Path | None = None) -> int:
    """Take into the store what processes that were killed had written; return how many.

    ``folder`` holds their journals; that of the user's home unless it is stated.
    """
    folder = folder or advisor_home() / "journals"
    count = 0
    for path in abandoned(folder) if folder.is_dir() else ():
        session = next((s for s in store.sessions() if s.id == path.stem), None)
        if session is not None and session.status == "running":
            found = gathered(session.id, session.threads, Reader(path).new())
            figures = found.figures(store.figures(session=session.id))
            store.conclude(
                session.id,
                status="interrupted",
                ended=_now(),
                figures=figures,
                samples=found.samples,
            )
            count += 1
        path.unlink(missing_ok=True)
    return count


@contextmanager
def _alone(lock: Path | None, say: Callable[[str], None]) -> Iterator[None]:
    """Let one session time on this machine at once; others wait for it."""
    if lock is None:
        yield
        return
    claim = JobClaim(lock)
    try:
        if not claim.take():
            say("another measurement is running here; waiting for it")
            claim.take(wait=True)
        yield
    finally:
        claim.release()


def _journal(session: str) -> Path:
    folder = advisor_home() / "journals"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MeasurementError(f"cannot write to {folder}: {error.strerror}") from error
    return folder / f"{session}.jsonl"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")

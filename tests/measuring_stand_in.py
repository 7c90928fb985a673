"""A measuring process that is played inside the test: no runtime, no clock, no child."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from advisor.measuring.child import Ending, Follow
from advisor.measuring.exports import exports_folder, write_record
from advisor.measuring.jobs import Item, Job
from advisor.measuring.order import Order, Way, Wish
from advisor.measuring.runtimes import Settings
from advisor.measuring.session import MeasuredOutcome, Measuring, Step
from advisor.measuring.store import MeasurementStore

FAKE = "advisor.testing:FakeMeasurer"
WELL = Ending(code=0, message="")
FP32 = Settings(precision="fp32", threads=1)


def wish(name: str) -> Wish:
    return Wish(spelling=name, network=name, resolution=224)


def way(precision: str = "fp32") -> Way:
    return Way(
        name=FAKE,
        runtime="fake",
        unit="cpu",
        packages=("numpy",),
        settings=replace(FP32, precision=precision),
    )


def order(*names: str, sessions: int = 1, **others: object) -> Order:
    made = Order(
        device="host",
        wishes=tuple(map(wish, names)),
        ways=(way(),),
        sessions=sessions,
        reference=None,
        pause=0.0,
    )
    return replace(made, **others)  # type: ignore[arg-type]


@dataclass(kw_only=True)
class Stage:
    """Plays every job as told, and remembers them."""

    seconds: Callable[[Item, int], float] = lambda item, session: 0.01
    """Latency by network and number of the timing job."""
    share: Callable[[int], float] = lambda session: 1.0
    """CPU time over wall time, by number of the timing job."""
    unconvertible: dict[str, str] = field(default_factory=dict)
    """Reason by network."""
    crashing: frozenset[str] = frozenset()
    """Networks whose conversion kills the process."""
    interrupt_in: int | None = None
    """Number of the timing job in which the user presses Ctrl-C."""
    jobs: list[Job] = field(default_factory=list)

    def __call__(self, job: Job, follow: Follow, longest: float) -> Ending:
        self.jobs.append(job)
        play = {
            "prepare": self._prepare,
            "export": self._prepare,
            "time": self._time,
            "memory": self._weigh,
        }
        return play[job.kind](job, follow)

    def count(self, kind: str) -> int:
        return sum(job.kind == kind for job in self.jobs)

    def _prepare(self, job: Job, follow: Follow) -> Ending:
        for item in job.items:
            follow({"e": "begin", "n": item.position})
            if item.spelling in self.crashing:
                return Ending(code=-11, message="")
            if item.spelling in self.unconvertible:
                reason = self.unconvertible[item.spelling]
                follow({"e": "failed", "n": item.position, "reason": reason})
                continue
            key = item.onnx_key if job.kind == "export" else item.key
            folder = exports_folder() / key
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "network.onnx").write_bytes(b"onnx of " + item.spelling.encode())
            write_record(folder, name=item.spelling, seconds=1.0, error=0.0)
            follow({"e": "prepared", "n": item.position})
        return WELL

    def _time(self, job: Job, follow: Follow) -> Ending:
        session = self.count("time")
        for turn in range(12):
            for item in job.items:
                wall = self.seconds(item, session)
                cpu = wall * self.share(session)
                for _ in range(3):
                    follow({"e": "s", "n": item.position, "t": turn, "w": wall, "c": cpu})
            if session == self.interrupt_in and turn == 2:
                raise KeyboardInterrupt
        follow({"e": "end", "narrow": True, "switches": 0, "machine": {}})
        return WELL

    def _weigh(self, job: Job, follow: Follow) -> Ending:
        follow({"e": "memory", "n": 0, "peak": 3e8, "added": 5e7})
        return WELL


def measure(
    wanted: Order, store: MeasurementStore, stage: Stage | None = None, *, resume: bool = False
) -> MeasuredOutcome:
    steps: list[Step] = []
    run = Measuring(
        order=wanted,
        store=store,
        tell=steps.append,
        run_job=stage or Stage(),
        sleep=lambda _: None,
        lock=None,
    )
    return run.run(resume=resume)


def home_store(home: Path) -> MeasurementStore:
    return MeasurementStore(home / "measurements.sqlite")

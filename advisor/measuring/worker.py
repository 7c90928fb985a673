"""The process that converts, times or weighs networks: ``python -m advisor.measuring.worker JOB``.

Timing has a process of its own, so that nothing else of the program runs beside it and a crash of
a runtime ends one session, not the run.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from advisor.errors import AdvisorError
from advisor.measuring import peak_memory
from advisor.measuring.energy import Meter, counters
from advisor.measuring.environment import machine_between, moment
from advisor.measuring.exports import exports_folder
from advisor.measuring.jobs import Item, Job
from advisor.measuring.journal import Writer
from advisor.measuring.runtimes import Engine, load
from advisor.measuring.runtimes.lines import first_line
from advisor.measuring.timing import Clock, MachineClock, Sample, Session, WarmUp

ENERGY_SECONDS = 1.0
"""Time over which the energy of one network is averaged."""
DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG`` of Linux's prctl."""


def main(path: str) -> int:
    """Do one job; events go to its journal, one line for a failure to standard error."""
    _end_with_parent()
    try:
        job = Job.read(Path(path))
        _pin(job)
        WORK[job.kind](job, Writer(Path(job.journal)))
    except (AdvisorError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    return 0


def _end_with_parent() -> None:
    """Ask the kernel to end this process with the advisor, so that none is left timing alone."""
    try:
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL)
    except (OSError, AttributeError):
        return  # not Linux: the process ends after its budget


def _pin(job: Job) -> None:
    if job.cpus:
        os.sched_setaffinity(0, set(job.cpus))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(job.settings.threads)


def _guarded(item: Item, journal: Writer, work: Callable[[], None]) -> None:
    """Do the work for one network; its failure is an event and the others go on."""
    try:
        work()
    except AdvisorError as error:
        journal.write(e="failed", n=item.position, reason=str(error))
    except Exception as error:  # whatever a runtime raises concerns this network alone
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        journal.write(e="failed", n=item.position, reason=first_line(error))


def prepare_all(job: Job, journal: Writer) -> None:
    """Convert every network of the job."""
    from advisor.measuring.preparing import prepare

    measurer = load(job.measurer)

    def one(item: Item) -> None:
        journal.write(e="begin", n=item.position)
        facts = prepare(item, job, measurer)
        journal.write(e="prepared", n=item.position, seconds=facts["seconds"])

    for item in job.items:
        _guarded(item, journal, lambda item=item: one(item))  # type: ignore[misc]


def export_all(job: Job, journal: Writer) -> None:
    """Write the ONNX file of every network of the job."""
    from advisor.measuring.preparing import export

    def one(item: Item) -> None:
        journal.write(e="begin", n=item.position)
        export(item, job)
        journal.write(e="prepared", n=item.position)

    for item in job.items:
        _guarded(item, journal, lambda item=item: one(item))  # type: ignore[misc]


def time_all(job: Job, journal: Writer, clock: Clock | None = None) -> None:
    """Time the networks of the job in one session."""
    clock = clock or MachineClock()
    engines = _opened(job, journal)
    if not engines:
        return
    before, switches = moment(), clock.switches()
    session = Session(
        passes={n: engine.run for n, engine in engines.items()},
        clock=clock,
        listen=lambda event: _note(journal, event),
        plan=job.plan,
    )
    narrow = session.run()
    machine = asdict(machine_between(before, moment()))
    journal.write(e="end", narrow=narrow, switches=clock.switches() - switches, machine=machine)
    _measure_energy(engines, journal)


def _opened(job: Job, journal: Writer) -> dict[int, Engine]:
    from advisor.measuring.preparing import example_of

    measurer = load(job.measurer)
    engines: dict[int, Engine] = {}

    def one(item: Item) -> None:
        begin = time.perf_counter()
        folder = exports_folder() / item.key
        engine = measurer.open(folder, job.settings)
        engine.load(example_of(folder))
        engine.run()
        engines[item.position] = engine
        journal.write(e="opened", n=item.position, seconds=time.perf_counter() - begin)

    for item in job.items:
        _guarded(item, journal, lambda item=item: one(item))  # type: ignore[misc]
    return engines


def _note(journal: Writer, event: Sample | WarmUp) -> None:
    if isinstance(event, Sample):
        journal.write(e="s", n=event.network, t=event.turn, w=event.wall, c=event.cpu)
    else:
        journal.write(e="warm", n=event.network, passes=event.passes, settled=event.settled)


def _measure_energy(engines: dict[int, Engine], journal: Writer) -> None:
    """Average the energy of a pass where the processor's counters are readable."""
    found = counters()
    for position, engine in engines.items() if found else ():
        meter, passes = Meter(found), 0
        end = time.perf_counter() + ENERGY_SECONDS
        while time.perf_counter() < end:
            engine.run()
            passes += 1
        joules = meter.read()
        if joules is not None:
            journal.write(e="energy", n=position, joules=joules / passes)


def weigh(job: Job, journal: Writer) -> None:
    """Measure the peak resident memory of one network alone in this process."""
    from advisor.measuring.preparing import example_of

    measurer = load(job.measurer)
    for module in getattr(measurer, "modules", ()):
        import_module(module)
    (item,) = job.items
    base = peak_memory.resident()

    def one() -> None:
        folder = exports_folder() / item.key
        engine = measurer.open(folder, job.settings)
        engine.load(example_of(folder))
        for _ in range(3):
            engine.run()
        peak = peak_memory.peak_resident()
        if peak is not None and base is not None:
            journal.write(e="memory", n=item.position, peak=peak, added=max(peak - base, 0))

    _guarded(item, journal, one)


WORK: dict[str, Callable[[Job, Writer], None]] = {
    "prepare": prepare_all,
    "export": export_all,
    "time": time_all,
    "memory": weigh,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""Cores of a CPU: rates, filled peaks, and what several cores reach together."""

from dataclasses import replace
from pathlib import Path

import pytest

from advisor.errors import ProfileError
from advisor.hardware.cores import (
    TABLE,
    core_rate,
    core_rates,
    cpu_cores,
    peak,
    thread_efficiency,
    unknown_cores,
)
from advisor.hardware.origin import Confidence, Sourced
from advisor.hardware.profile import PeakRates, UnitKind, UnitProfile
from advisor.hardware.silicon import Cluster, Silicon

HAND = Sourced(source="hand", confidence=Confidence.HIGH)


def silicon(*clusters: Cluster, narrow: bool = False) -> Silicon:
    return Silicon(ip_family="Cortex-A", clusters=clusters, narrow_memory=narrow, origin=HAND)


BIG = Cluster(cores=2, core="Cortex-A76", clock=2e9)
LITTLE = Cluster(cores=2, core="Cortex-A55", clock=1e9)


def unit(*clusters: Cluster, **rates: float) -> UnitProfile:
    return UnitProfile(
        kind=UnitKind.CPU,
        name="hand",
        silicon=silicon(*clusters),
        peak=PeakRates(rates=tuple(rates.items())),
        compute=HAND,
        software=HAND,
    )


def test_rates_of_cores_are_clock_times_operations_a_cycle() -> None:
    assert core_rates(unit(BIG, LITTLE), "fp32") == (32e9, 32e9, 8e9, 8e9)


def test_an_unstated_peak_is_the_sum_over_the_cores() -> None:
    found = peak(unit(BIG, LITTLE), "fp32")
    assert found is not None
    assert (found.rate, found.computed) == (80e9, True)
    assert found.origin.source.startswith("computed")


def test_a_stated_peak_wins() -> None:
    found = peak(unit(BIG, fp32=5e9), "fp32")
    assert found is not None
    assert (found.rate, found.computed) == (5e9, False)


def test_halves_without_fp16_arithmetic_are_computed_in_fp32() -> None:
    old = unit(Cluster(cores=1, core="Cortex-A53", clock=1e9))
    assert core_rates(old, "fp16") == core_rates(old, "fp32") == (8e9,)


def test_a_core_or_clock_nobody_knows_leaves_the_peak_unknown() -> None:
    assert peak(unit(replace(BIG, core="Cortex-Z1")), "fp32") is None
    assert peak(unit(replace(BIG, clock=None)), "fp32") is None


def test_one_core_is_known_by_its_design_where_nobody_counts_the_cores() -> None:
    rented = replace(unit(), clock=2e9, silicon=replace(silicon(), microarchitecture="Cortex-A76"))
    assert core_rate(rented, "fp32") == 32e9
    assert core_rate(replace(rented, clock=None), "fp32") is None
    assert core_rate(unit(BIG, LITTLE), "fp32") == 32e9


def test_a_core_that_the_table_lacks_is_named() -> None:
    assert unknown_cores(unit(BIG, replace(LITTLE, core="Cortex-Z1"))) == ("Cortex-Z1",)


def test_one_thread_loses_nothing() -> None:
    assert thread_efficiency(silicon(BIG, LITTLE), 1) == 1


def test_threads_cost_one_another_more_where_memory_is_narrow() -> None:
    """Four threads: 1 / (1 + 0.07 * 3 + 0.005 * 4 * 3), and 0.20 and 0.01 on narrow memory."""
    assert thread_efficiency(silicon(BIG), 4) == pytest.approx(1 / 1.27)
    assert thread_efficiency(silicon(BIG, narrow=True), 4) == pytest.approx(1 / 1.72)


def test_every_core_of_the_table_has_a_source() -> None:
    assert all(core.origin.source for core in cpu_cores().values())


def test_a_number_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[1] / "profiles" / TABLE
    header = shipped.read_text().splitlines()[0]
    (tmp_path / TABLE).write_text(f"{header}\nCortex-Q,zero,,,no,64,2,0,2030,low,hand\n")
    with pytest.raises(ProfileError, match=r"cpu_cores.csv:2: Cortex-Q: cannot read .*zero"):
        cpu_cores(tmp_path)

"""Silicon: what a compute unit is made of, by which its kin on other devices are found.

Two units are kin by, from near to far: ``chip_id`` and ``bin`` (the same part; cooling, memory and
clock may differ), ``chip_id`` (the same die with other cores or clocks), ``ip_family`` with
``microarchitecture`` and ``generation`` (the same design in another chip), ``ip_family`` alone,
``related_family``. A fact that nobody knows is None, never 0.
"""

from advisor.core.frozen_record import Record
from advisor.hardware.origin import Sourced


class Cluster(Record):
    """Equal cores of a CPU."""

    cores: int
    core: str
    """Name of a row of ``profiles/cpu_cores.csv``, such as ``Cortex-A76``."""
    clock: float | None = None
    """Hz."""


class Overlay(Record):
    """What programmable logic is loaded with in the lanes of one variant."""

    variant: str
    """Variant of these lanes, such as ``6 kernels 300 MHz multi-thread``."""
    microarchitecture: str | None = None
    """Its design, where it is not that of the unit."""
    peak: float | None = None
    """Op/s of all its engines at int8."""


class Silicon(Record):
    """Identity and make of one unit's chip."""

    chip_id: str | None = None
    """The die, such as ``tegra-orin``; that of this unit, not of its host."""
    bin: str | None = None
    """Variant of the die, such as ``orin-nano-8gb``; of an Edge TPU the link it hangs on."""
    host_chip_id: str | None = None
    """The die that feeds the unit where it is another one."""
    year: int | None = None
    """First availability of the chip, to about a year."""
    vendor: str | None = None
    """Who designed the unit: ``Arm``, ``NVIDIA``."""
    ip_family: str | None = None
    """Designs that run the same kernels: ``Cortex-A``, ``CUDA``, ``Hexagon``, ``Mali Valhall``."""
    related_family: str | None = None
    """Family whose designs are the nearest outside the own one."""
    microarchitecture: str | None = None
    """``Cortex-A76`` (of a CPU's fastest cores), ``Ampere sm_86``, ``Hexagon v73``."""
    generation: float | None = None
    """Order inside ``ip_family``: of CPUs the year of the core, comparable across families; of
    CUDA ten times the compute capability; else the version or an ordinal."""
    brand: str | None = None
    """The vendor's name of the core where it differs: ``Kryo 585 Prime``."""
    clusters: tuple[Cluster, ...] = ()
    """All cores of a CPU, fastest first."""
    narrow_memory: bool = False
    """Whether the memory is so narrow that more threads help little (Raspberry Pi, RK356x)."""
    l2: float | None = None
    """Bytes of second-level cache that one fast core reaches."""
    l2_shared_by: int | None = None
    """Cores that share it."""
    l3: float | None = None
    """Bytes of third-level cache that one core reaches."""
    cores_used: int | None = None
    """Engines of an accelerator that one network at batch 1 uses."""
    overlays: tuple[Overlay, ...] = ()
    """Other designs, engines or clocks that programmable logic is loaded with."""
    note: str | None = None
    """What else tells the size of the unit, such as ``MP4``."""
    origin: Sourced
    """Of the identity; caches, years and clocks of smaller cores are medium at best."""

    def overlay(self, variant: str) -> Overlay | None:
        """Return what the logic is loaded with in lanes of a variant, where it is known."""
        return next((one for one in self.overlays if one.variant == variant), None)

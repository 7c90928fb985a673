"""Instruction sets: which family of processors runs a device's programs, by its cores."""

from advisor.hardware.profile import DeviceProfile, UnitKind

BY_MACHINE = {
    "x86_64": "x86",
    "amd64": "x86",
    "x64": "x86",
    "i386": "x86",
    "i686": "x86",
    "aarch64": "Arm",
    "arm64": "Arm",
    "armv8l": "Arm",
    "armv7l": "Arm",
    "armv6l": "Arm",
    "riscv32": "RISC-V",
    "riscv64": "RISC-V",
    "loongarch64": "LoongArch",
}
"""Instruction set by what systems call the machine, in small letters."""
_BY_FAMILY = {
    "Core": "x86",
    "Atom": "x86",
    "Zen": "x86",
    "Cortex": "Arm",
    "Neoverse": "Arm",
    "ARM11": "Arm",
    "Apple CPU": "Arm",
    "Kryo": "Arm",
    "Oryon": "Arm",
    "TaiShan": "Arm",
    "Phytium": "Arm",
    "NVIDIA Denver": "Arm",
    "RISC-V": "RISC-V",
    "LoongArch": "LoongArch",
}
"""Instruction set by how the family of a unit's cores begins."""


def instruction_set(profile: DeviceProfile) -> str | None:
    """Return the instruction set of a device's processor; None where its profile tells none."""
    families = [
        unit.silicon.ip_family or ""
        for unit in profile.units
        if unit.kind is UnitKind.CPU and unit.silicon is not None
    ]
    return next(
        (name for one in families for start, name in _BY_FAMILY.items() if one.startswith(start)),
        None,
    )

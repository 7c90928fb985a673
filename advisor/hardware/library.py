"""Library: finds and reads ``profiles/`` and tells where ``catalog/`` is.

Places are tried in this order: an explicit argument, the environment variables
ADVISOR_PROFILES and ADVISOR_CATALOG, the installed wheel, the source checkout. A user's own
profiles come before the shipped ones. One look-up reads the index of a folder and one file.
"""

import csv
import logging
import math
import os
import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.core.frozen_record import Record
from advisor.errors import AdvisorError, CatalogError, ProfileError, UsageError
from advisor.files.plain_text import is_there
from advisor.hardware.profile import DeviceProfile, LaneEvidence
from advisor.hardware.profile_index import INDEX, chip_names, content_if_checked

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from advisor.files.yaml_text import YamlFile
    from advisor.hardware.names import DeviceNames, Meaning
    from advisor.hardware.profile_file import ProfileFile

PACKAGE = Path(__file__).resolve().parents[1]
LISTING = "advisor devices ls"
THIS_MACHINE = "host"
"""Id of the profile that ``advisor devices detect`` writes."""
SUFFIXES = ("*.yml", "*.yaml")
"""Files of a folder that are profiles; the later form wins."""
logger = logging.getLogger("advisor")
LANES = "lanes.csv"
LANE_COLUMNS = (
    *("device", "unit", "runtime", "precision", "batch", "threads", "variant"),
    *("rows", "networks"),
)
"""Columns of the catalog's table of measured lanes."""


class IndexEntry(Record):
    """One device in a list of devices, without its figures."""

    id: str
    aliases: tuple[str, ...] = ()
    chip_aliases: tuple[str, ...] = ()
    """Names of its chip, which other devices may share."""
    name: str
    vendor: str = ""
    default_lane: str = ""
    """Spelling for people, without the device."""
    path: Path


class ProfileLibrary(Record):
    """Device profiles of several folders; earlier folders hide later ones."""

    folders: tuple[Path, ...]

    @cached_property
    def entries(self) -> dict[str, IndexEntry]:
        """Devices by id, sorted."""
        found: dict[str, IndexEntry] = {}
        for folder in self.folders:
            for entry in _folder_entries(folder):
                found.setdefault(entry.id, entry)
        return dict(sorted(found.items()))

    def names(self) -> list[str]:
        """Ids of all devices, sorted."""
        return list(self.entries)

    def file_of(self, device: str) -> Path | None:
        """Return the file of an id, found without listing the others; None of other spellings."""
        if Path(device).name != device:
            return None
        places = (
            folder / f"{device}{form.removeprefix('*')}"
            for folder in self.folders
            for form in reversed(SUFFIXES)
        )
        return next((path for path in places if is_there(path)), None)

    def resolve(self, name: str) -> IndexEntry:
        """Return the device that a spelling means: id, alias, display name, nickname.

        Raises UsageError that lists the devices of a name that fits several, and the nearest of
        one that nobody has.
        """
        if name in self.entries:
            return self.entries[name]
        meant = self.meaning(name).devices
        if len(meant) == 1:
            return meant[0]
        raise _several(name, meant) if meant else self._unknown(name)

    def meaning(self, name: str) -> "Meaning[IndexEntry]":
        """Tell what a spelling means, with the devices it may have meant besides."""
        return self._spellings.meaning(name, _sold_with)

    def _unknown(self, name: str) -> UsageError:
        if name == THIS_MACHINE:
            return UsageError(
                f"device {name!r} is this machine, which nobody described yet; first run: advisor "
                "devices detect"
            )
        near = [entry.id for entry in self._spellings.nearest(name)]
        listing = f"({LISTING!r} lists all {len(self.entries)})"
        if not near:
            return UsageError(f"unknown device {name!r} {listing}")
        return UsageError(
            f"unknown device {name!r}; did you mean {' or '.join(map(repr, near))}? If it is none "
            f"of these, add it: advisor devices new {shlex.quote(name)} --like {near[0]} {listing}"
        )

    @cached_property
    def _spellings(self) -> "DeviceNames[IndexEntry]":
        from advisor.hardware.names import DeviceNames  # an id needs none of it

        return DeviceNames(tuple(self.entries.values()))

    def load(self, name: str) -> DeviceProfile:
        """Return the profile of an id or alias, read once."""
        if name not in self._profiles:
            self._profiles[name] = read_profile(self.file_of(name) or self.resolve(name).path)
        return self._profiles[name]

    @cached_property
    def _profiles(self) -> dict[str, DeviceProfile]:
        return {}


def _several(name: str, devices: Sequence[IndexEntry]) -> UsageError:
    from advisor.hardware.names import FEW

    shown = ", ".join(f"{entry.id} ({entry.name})" for entry in devices[:FEW])
    more = f" and {len(devices) - FEW} more" if len(devices) > FEW else ""
    return UsageError(f"device {name!r} is ambiguous; say which: {shown}{more}")


def _sold_with(entry: IndexEntry, gigabytes: float) -> bool:
    """Whether a device is sold with so much memory, by its profile."""
    memory = read_profile(entry.path).memory
    if memory is None or memory.capacity is None:
        return False
    most = memory.capacity_max or memory.capacity
    return memory.capacity <= gigabytes * 1e9 <= most


def profile_library(directory: Path | None = None, *, own: Path | None = None) -> ProfileLibrary:
    """Return the library of the user's own profiles and the shipped ones.

    ``own`` is a folder whose files come first (``--profiles-dir``); ``directory`` replaces the
    shipped profiles. Raises UsageError where ``own`` is no folder.
    """
    if own is not None and not _is_folder(own):
        raise UsageError(f"--profiles-dir: {own} is no folder; name one with profiles")
    home = advisor_home() / "profiles"
    candidates = [own, home if _is_folder(home) else None, profiles_directory(directory)]
    return ProfileLibrary(folders=tuple(folder for folder in candidates if folder is not None))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # of a name that is too long
        return False


def load_profile(name: str, *, own: Path | None = None) -> DeviceProfile:
    """Read the profile of an id or alias from the user's own and the shipped profiles."""
    return profile_library(own=own).load(name)


def advisor_home() -> Path:
    """Folder of the user's data: $ADVISOR_HOME, else the platform's user-data folder."""
    home = os.environ.get("ADVISOR_HOME")
    if home:
        return Path(home)
    from platformdirs import user_data_path

    return user_data_path("advisor")


def profiles_directory(explicit: Path | None = None) -> Path:
    """Folder of the shipped profiles."""
    return _located("profiles", explicit, "ADVISOR_PROFILES", ProfileError)


def catalog_directory(explicit: Path | None = None) -> Path:
    """Folder of the shipped catalog."""
    return _located("catalog", explicit, "ADVISOR_CATALOG", CatalogError)


def _located(name: str, explicit: Path | None, variable: str, error: type[AdvisorError]) -> Path:
    stated = explicit or (Path(os.environ[variable]) if os.environ.get(variable) else None)
    if stated is not None:
        if not stated.is_dir():
            raise error(f"{name} folder {stated} does not exist; state one, or unset {variable}")
        return stated
    for place in (PACKAGE / "data" / name, PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise error(f"the {name} folder is missing beside the package; state it by {variable}")


def _folder_entries(folder: Path) -> Iterator[IndexEntry]:
    """Yield the devices of the index, then those of files that it does not know yet."""
    index = folder / INDEX
    files = {path.stem: path for form in SUFFIXES for path in folder.glob(form)}
    indexed = list(_indexed(index)) if index.is_file() else []
    yield from (entry for entry in indexed if entry.id in files)
    for device in sorted(files.keys() - {entry.id for entry in indexed}):
        try:
            profile = read_profile(files[device])
        except ProfileError as error:  # told again, as an error, to whom asks for the device
            _warn_once(f"{error}; other devices are answered")
            yield IndexEntry(id=device, name=device, path=files[device])
            continue
        yield IndexEntry(
            id=profile.id,
            aliases=profile.aliases,
            chip_aliases=chip_names(profile),
            name=profile.name,
            vendor=profile.vendor or "",
            default_lane=profile.default_lane.name,
            path=files[device],
        )


@cache
def _warn_once(text: str) -> None:
    logger.warning(text)


def _indexed(index: Path) -> Iterator[IndexEntry]:
    with index.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield IndexEntry(
                id=row["id"],
                aliases=_listed(row["aliases"]),
                chip_aliases=_listed(row.get("chip_aliases") or ""),
                name=row["name"],
                vendor=row["vendor"],
                default_lane=row["default_lane"],
                path=index.with_name(f"{row['id']}.yaml"),
            )


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in cell.split(";") if one.strip())


def read_profile(path: Path, *, afresh: bool = False) -> DeviceProfile:
    """Read one profile file; ProfileError in one line says file, line, field, what is allowed.

    A file that is as it was when the index of its folder was written was checked then; ``afresh``
    checks it again.
    """
    profile = ((None if afresh else _of_index(path)) or _checked(path)).convert()
    measured = map(_evidence, _measured(catalog_directory() / LANES).get(profile.id, ()))
    # A publication of a graphics card also times the CPU of its unnamed host.
    return replace(profile, lanes=tuple(one for one in measured if profile.unit(one.unit)))


def _checked(path: Path) -> "ProfileFile":
    """Check what a file holds; ProfileError says what is wrong with it."""
    from pydantic import ValidationError

    from advisor.files.yaml_text import yaml_file
    from advisor.hardware.profile_file import ProfileFile

    content = yaml_file(path, ProfileError)
    try:
        file = ProfileFile.model_validate(content.value)
    except ValidationError as error:
        raise ProfileError(_message(content, error.errors()[0])) from None
    if file.id != path.stem:
        line = content.line(("id",))
        raise ProfileError(
            f"{path}:{line}: id: {file.id!r} differs from the file; allowed: {path.stem!r}"
        )
    return file


def _of_index(path: Path) -> "ProfileFile | None":
    """Return what a file holds that the index of its folder knows; None of every other file."""
    from advisor.hardware.profile_file import ProfileFile, of_checked

    content = content_if_checked(path)
    return None if content is None else of_checked(ProfileFile, content)


@cache
def _measured(path: Path) -> Mapping[str, tuple[list[str], ...]]:
    """Rows of measured lanes by device, most networks first; none where there is no such table."""
    if not path.is_file():
        return {}
    found: dict[str, list[list[str]]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream)
        header = next(rows, [])
        places = [header.index(name) for name in LANE_COLUMNS]
        for row in rows:
            found[row[places[0]]].append([row[place] for place in places])
    return {device: tuple(lanes) for device, lanes in found.items()}


def _evidence(cells: list[str]) -> LaneEvidence:
    """Read a row of the table of measured lanes, its cells as ``LANE_COLUMNS`` orders them."""
    device, unit, runtime, precision, batch, threads, variant, rows, networks = cells
    return LaneEvidence(
        device=device,
        unit=unit,
        runtime=runtime,
        precision=precision,
        batch=int(batch),
        threads=int(threads) if threads else None,
        variant=variant,
        rows=int(rows),
        networks=int(networks),
    )


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file of options; UsageError in one line where it is none, or repeats a key."""
    from advisor.files.yaml_text import yaml_file

    data = yaml_file(path, UsageError).value
    if not isinstance(data, dict):
        raise UsageError(f"{path} holds no options; write lines such as 'max-latency: 10ms'")
    return data


def _message(file: "YamlFile", error: "ErrorDetails") -> str:
    location = tuple(part for part in error["loc"] if part != "[key]")
    field = _spelled(location) or "profile"
    return f"{file.path}:{file.line(location)}: {field}: {_problem(error, location)}"


def _problem(error: "ErrorDetails", location: tuple[str | int, ...]) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "unexpected_keyword_argument":
        return _unknown_field(location)
    if kind == "missing":
        return "missing; it is required"
    if kind in ("enum", "literal_error"):
        return f"{value!r} is unknown; allowed: {context['expected'].replace(chr(39), '')}"
    if kind == "float_type" and _reads_as_number(value):
        return f"{value!r} is text in YAML; write a number without quotes, such as 1.0e+3"
    if kind == "greater_than_equal" and 0 < context["ge"] < 1 and value <= 0:
        kind = "greater_than"  # the bound itself is no news to who wrote nothing positive
    reason, allowed = _RULES.get(kind, (error["msg"][:1].lower() + error["msg"][1:], ""))
    allowed = allowed or _bound(context)
    shown = "" if isinstance(value, Mapping | list) else f"{value!r} "
    return f"{shown}{reason}" + (f"; allowed: {allowed}" if allowed else "")


def _reads_as_number(value: object) -> bool:
    try:
        return isinstance(value, str) and math.isfinite(float(value))
    except ValueError:
        return False


_RULES = {
    "float_type": ("is not a number", "a positive number"),
    "int_type": ("is not a whole number", "a whole number"),
    "int_from_float": ("is not a whole number", "a whole number"),
    "finite_number": ("is not finite", "a positive number"),
    "greater_than": ("is out of range", "a positive number"),
    "greater_than_equal": ("is out of range", ""),
    "less_than_equal": ("is out of range", ""),
    "string_type": ("is not text", "text"),
    "string_too_short": ("is empty", "text"),
    "bool_type": ("is not a truth value", "true or false"),
    "list_type": ("is not a list", "a list"),
    "dict_type": ("is not a mapping", "a mapping"),
    "dataclass_type": ("is not a mapping", "a mapping"),
    "too_short": ("is an empty list", "one item or more"),
}
_PATTERNS = {
    r"^\d{4}(-\d{2}(-\d{2})?)?$": "YYYY, YYYY-MM or YYYY-MM-DD",
    r"^[^;]+$": "text without ';'",
    r"^[a-z0-9][a-z0-9.+_\-]*$": "lower-case letters, digits and . + _ -",
}


def _bound(context: Mapping[str, Any]) -> str:
    if "pattern" in context:
        return _PATTERNS.get(str(context["pattern"]), str(context["pattern"]))
    bounds = {"ge": "at least", "le": "at most"}
    return "".join(f"{word} {context[name]:g}" for name, word in bounds.items() if name in context)


def _unknown_field(location: tuple[str | int, ...]) -> str:
    from difflib import get_close_matches

    from advisor.hardware.profile_file import field_names

    allowed = field_names(location[:-1])
    near = get_close_matches(str(location[-1]), allowed, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown field{hint} (allowed: {', '.join(allowed)})"


def _spelled(location: Sequence[str | int]) -> str:
    """Write a path as ``units[0].peak_gflops.fp16``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")

"""Evidence: everything an answer can rest on, each part read when it is first needed."""

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import field, replace
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.answering.size_ladder import SizeLadder
from advisor.catalog.accuracy import (
    Accuracy,
    CifarAccuracy,
    read_accuracies,
    read_changes,
    read_cifar,
)
from advisor.catalog.accuracy_at_precision import PrecisionChanges
from advisor.catalog.operator_support import OperatorSupport, read_support
from advisor.catalog.published import PublishedFigures
from advisor.core.candidate import Candidate
from advisor.core.conditions import Conditions
from advisor.core.extras import COUNTING, require
from advisor.core.frozen_record import Record
from advisor.core.lane import Lane
from advisor.core.workload import Workload
from advisor.core.workload_table import WorkloadTable, read
from advisor.errors import AdvisorError, NetworkError, UsageError, unknown_name
from advisor.files.plain_text import is_there
from advisor.hardware.library import (
    ProfileLibrary,
    advisor_home,
    catalog_directory,
    profile_library,
)
from advisor.hardware.profile import DeviceProfile, UnitProfile
from advisor.measuring.own_figures import OwnFigures, own_times, store_path
from advisor.networks import NO_INPUTS, InputSizes, is_foreign

if TYPE_CHECKING:
    from advisor.catalog.network_names import NetworkNames
    from advisor.catalog.pruning_results import HalvedMacs
    from advisor.estimators.board_power import PowerModel
    from advisor.estimators.latency import LatencyModel, Timing
    from advisor.estimators.memory import MemoryModel

LISTED = 12
"""Most networks that are listed for a name that means several."""
WILDCARDS = frozenset("*?[")
USUAL_RESOLUTION = 224
"""Input side of a network without published weights, where it was counted there."""


class Evidence(Record):
    """Profiles, catalog and workloads of one run."""

    root: Path = field(default_factory=catalog_directory)
    """Folder of the catalog."""
    profiles: ProfileLibrary = field(default_factory=profile_library)
    hidden: frozenset[tuple[Lane, str, int]] = frozenset()
    """Lane, network and input of published figures that are taken for unknown."""
    _published: dict[tuple[str, Conditions], PublishedFigures] = field(default_factory=dict)
    _known: dict[str, DeviceProfile] = field(default_factory=dict)
    _own: dict[str, OwnFigures] = field(default_factory=dict)
    _workloads: dict[tuple[str, int], Workload] = field(default_factory=dict)
    _hashes: dict[Path, str] = field(default_factory=dict)
    _timed: dict[Lane, dict[str, set[int]]] = field(default_factory=dict)
    """Input sizes at which networks were measured, by lane."""

    @cached_property
    def table(self) -> WorkloadTable:
        """Workloads of the catalog's networks."""
        return read(self.root)

    @cached_property
    def weights(self) -> Sequence[Accuracy]:
        """Trained weights with their accuracy, best first."""
        return sorted(read_accuracies(self.root), key=lambda w: -w.top1)

    def cifar(self, network: str) -> list[CifarAccuracy]:
        """Published CIFAR accuracies of a network."""
        return [one for one in read_cifar(self.root) if one.network == network]

    @cached_property
    def precision_changes(self) -> PrecisionChanges:
        """Published changes of the accuracy by numeric precision."""
        return PrecisionChanges(changes=read_changes(self.root))

    @cached_property
    def halved_macs(self) -> "HalvedMacs":
        """What pruning half of the MACs costs, by published results."""
        from advisor.catalog.pruning_results import HalvedMacs, read_pruning

        return HalvedMacs(results=read_pruning(self.root))

    def profile(self, name: str) -> DeviceProfile:
        """Return the profile of an id or alias; what the user measured there runs there, too."""
        if name not in self._known:
            stated = self.profiles.load(name)
            ran = {(lane.unit, lane.runtime) for lane, _, _ in self.own(stated).figures}
            units = tuple(_with_runtimes(unit, ran) for unit in stated.units)
            self._known[name] = replace(stated, units=units) if ran else stated
        return self._known[name]

    def published(
        self, profile: DeviceProfile, conditions: Conditions | None = None
    ) -> PublishedFigures:
        """Published figures of a device, read once; under conditions where some are stated."""
        asked = conditions or Conditions()
        key = (profile.id, asked)
        if key not in self._published:
            self._published[key] = PublishedFigures(
                root=self.root, device=profile.id, conditions=asked, without=self.hidden
            )
        return self._published[key]

    def resolutions_in(self, lane: Lane, network: str) -> set[int]:
        """Input sizes at which a network was measured in a lane, by the user or by others."""
        if lane not in self._timed:
            timed: dict[str, set[int]] = defaultdict(set)
            profile = self.profiles.load(lane.device)
            for found, name, size in (*self.published(profile).cells, *self.own(profile).figures):
                if found == lane:
                    timed[name].add(size)
            self._timed[lane] = dict(timed)
        return self._timed[lane].get(network, set())

    def own(self, profile: DeviceProfile) -> OwnFigures:
        """What the user measured on a device, read once."""
        return self._own_of(profile.id)

    def _own_of(self, device: str) -> OwnFigures:
        if device not in self._own:
            self._own[device] = OwnFigures(device=device)
        return self._own[device]

    @cached_property
    def latency(self) -> "LatencyModel":
        """Estimator of latencies: its fitted parameters, and what the user measured."""
        from advisor.estimators.latency import LatencyModel

        model = LatencyModel.load(self.root, self.profiles)
        timings, table = self.own_timings()
        return model.with_measurements(timings, table) if timings else model

    def own_timings(self) -> "tuple[list[Timing], WorkloadTable]":
        """Return what the user measured of networks whose work is known, and their workloads."""
        from advisor.estimators.latency import Timing

        index = self.table.index
        every = own_times(own=self._own_of)
        counted = [one for one in every if (one.network, one.resolution) in index]
        others = [one for one in every if (one.network, one.resolution) not in index]
        priced = {one: self.by_arithmetic(one.network, one.resolution) for one in others}
        candidates = [found for found in priced.values() if found is not None]
        own = [*counted, *(one for one, found in priced.items() if found is not None)]
        table = self.table.rows([index[one.network, one.resolution] for one in counted])
        if candidates:
            from advisor.networks.pricing.prices import price

            table = table.joined(price(candidates))
        timings = [
            Timing(lane=o.lane, network=o.network, resolution=o.resolution, seconds=o.seconds)
            for o in own
        ]
        return timings, table

    def by_arithmetic(self, network: str, resolution: int) -> Candidate | None:
        """Return a network that follows at any input from its blueprint; None for others."""
        from advisor.networks.blueprints.stock import blueprint, has_blueprint

        try:
            candidate = replace(Candidate.parse(network), resolution=resolution)
            if has_blueprint(candidate.architecture):
                blueprint(candidate)
                return candidate
        except AdvisorError:  # of a module or a file, or an axis that it lacks
            pass
        return None

    def teaches(self, network: str, resolution: int) -> bool:
        """Whether a timing of a network tells the estimator of others: its work is known."""
        known = (network, resolution) in self.table.index
        return known or self.by_arithmetic(network, resolution) is not None

    @cached_property
    def operator_support(self) -> OperatorSupport:
        """Operator classes that accelerators' runtimes have been seen to run."""
        return read_support(self.root)

    @cached_property
    def memory(self) -> "MemoryModel":
        """Estimator of the peak memory, with its fitted parameters."""
        from advisor.estimators.memory import MemoryModel

        return MemoryModel.load(self.root)

    @cached_property
    def sizes(self) -> SizeLadder:
        """Sizes of the catalog's networks."""
        return SizeLadder(table=self.table)

    @cached_property
    def power(self) -> "PowerModel":
        """Estimator of the power under load, with its fitted parameters."""
        from advisor.estimators.board_power import PowerModel

        return PowerModel.load(self.root)

    @cached_property
    def architectures(self) -> frozenset[str]:
        """Names of the catalog's networks, without axes."""
        return frozenset(name.partition(":")[0] for name in self.table.networks)

    @cached_property
    def names(self) -> "NetworkNames":
        """Names of the networks, and how others call them."""
        from advisor.catalog.network_names import NetworkNames, read_aliases

        return NetworkNames(self.architectures, read_aliases(self.root))

    def workload(self, candidate: Candidate) -> Workload:
        """Return the workload of a candidate: shipped, kept from an earlier run, or counted now."""
        resolution = candidate.resolution or self.default_resolution(candidate)
        key = (candidate.network, resolution)
        if key in self.table.index:
            return self.table.workload(self.table.index[key])
        if key in self._workloads:
            return self._workloads[key]
        from advisor.networks.blueprints.stock import has_blueprint

        if candidate.axes or has_blueprint(candidate.architecture):
            from advisor.networks.pricing.prices import price_one

            return price_one(replace(candidate, tag=None, resolution=resolution))
        require(f"counting {candidate.network}@{resolution}", *COUNTING, kind=NetworkError)
        from advisor.networks import cache as workload_cache
        from advisor.networks.building import describe

        asked = Candidate(
            architecture=candidate.architecture, resolution=resolution, axes=candidate.axes
        )
        self._workloads[key] = workload_cache.cached(
            advisor_home() / "workloads", workload_cache.key(*key), lambda: describe(asked)
        )
        return self._workloads[key]

    def foreign(self, spelling: str, inputs: InputSizes = NO_INPUTS) -> Candidate:
        """Count a user's own network, ``module:factory`` or an ONNX file, and name it."""
        from advisor.networks import cache as workload_cache
        from advisor.networks import describe_spelling

        path = Path(spelling.rpartition("@")[0] or spelling)
        if path.suffix.lower() == ".onnx" and path.is_file():
            key = workload_cache.key(f"{spelling} {inputs or ''}", None, path.read_bytes())
            workload = workload_cache.cached(
                advisor_home() / "workloads", key, lambda: describe_spelling(spelling, inputs)
            )
        else:  # a factory's code may change unseen, so it is counted every time
            workload = describe_spelling(spelling, inputs)
        self._workloads[workload.network, workload.resolution] = workload
        return Candidate(architecture=workload.network, resolution=workload.resolution)

    def default_resolution(self, candidate: Candidate) -> int:
        """Return the input that the candidate's weights were tested at."""
        for weights in self.weights_of(candidate.architecture):
            if candidate.tag in (None, weights.tag):
                return weights.resolution
        counted = self._resolutions.get(candidate.network, ())
        return USUAL_RESOLUTION if USUAL_RESOLUTION in counted or not counted else max(counted)

    def weights_of(self, architecture: str) -> Sequence[Accuracy]:
        """Trained weights of one architecture, best first."""
        return self._weights_by_network.get(architecture, ())

    def is_shipped(self, candidate: Candidate, resolution: int) -> bool:
        """Whether the workload is in the catalog, so that it need not be counted."""
        return (candidate.network, resolution) in self.table.index

    @cached_property
    def _weights_by_network(self) -> dict[str, list[Accuracy]]:
        found: dict[str, list[Accuracy]] = defaultdict(list)
        for weights in self.weights:
            found[weights.network].append(weights)
        return dict(found)

    @cached_property
    def _resolutions(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for network, resolution in self.table.index:
            found[network].append(resolution)
        return dict(found)

    def candidates(
        self, patterns: Sequence[str], inputs: InputSizes = NO_INPUTS
    ) -> list[Candidate]:
        """Resolve spellings and wildcards to candidates; UsageError names the nearest ones.

        ``inputs`` are those of the user's own networks, by name.
        """
        found: dict[str, Candidate] = {}
        for pattern in patterns:
            foreign = is_foreign(pattern)
            matching = [self.foreign(pattern, inputs)] if foreign else self._matching(pattern)
            for candidate in matching:
                found.setdefault(candidate.name, candidate)
        return list(found.values())

    def _matching(self, pattern: str) -> list[Candidate]:
        if WILDCARDS & set(pattern):
            matching = [
                Candidate(architecture=w.network, tag=w.tag, resolution=w.resolution)
                for w in self.weights
                if matches(w.network, w.tag, pattern)
            ]
            if not matching:
                raise UsageError(f"no network matches {pattern!r} ('advisor models ls' lists all)")
            return matching
        candidate = self.named(pattern)
        tags = [w.tag for w in self.weights_of(candidate.architecture)]
        if candidate.tag is not None and candidate.tag not in tags:
            if self.names.is_weights(f"{candidate.architecture}.{candidate.tag}"):
                return [candidate]
            names = [f"{candidate.architecture}.{tag}" for tag in tags]
            name = f"{candidate.architecture}.{candidate.tag}"
            listing = f"advisor models ls {candidate.architecture}.*"
            raise unknown_name("weights", name, names, listing)
        if candidate.tag is None and not candidate.axes:
            return [self._best(candidate)]
        return [candidate]

    def named(self, spelling: str) -> Candidate:
        """Return the candidate that a name means, by the catalog or as others call it.

        Raises UsageError that lists the networks of a name that fits several, and the nearest of
        one that nobody has.
        """
        meant = self.names.meaning(spelling)
        if len(meant) > 1:
            raise self._several(spelling, meant)
        if not meant:
            raise self.unknown(spelling)
        return Candidate.parse(meant[0])

    def unknown(self, spelling: str) -> UsageError:
        """Return the error for a network that nobody has, with what it may have meant."""
        return UsageError(
            f"unknown network {spelling!r}{self.names.against(spelling)} ('advisor models ls' "
            f"lists all {len(self.architectures)})"
        )

    def _several(self, spelling: str, meant: Sequence[str]) -> UsageError:
        """Return the error for a name of several networks: which, and how to take them all."""
        plain = sorted(meant, key=lambda name: (name.count("_"), name))
        more = f" and {len(plain) - LISTED} more" if len(plain) > LISTED else ""
        word = spelling.lower().replace("-", "_").replace(" ", "_")
        for pattern in (f"{word}*", f"*{word}*"):
            if {n for n in self.architectures if fnmatchcase(n, pattern)} == set(meant):
                more += f"; take all by {pattern!r}"
                break
        return UsageError(
            f"network {spelling!r} means several, name one: {', '.join(plain[:LISTED])}{more}"
        )

    def _best(self, candidate: Candidate) -> Candidate:
        """Take the most accurate weights for the resolution asked, or for any."""
        for weights in self.weights_of(candidate.architecture):
            if candidate.resolution in (None, weights.resolution):
                return Candidate(
                    architecture=candidate.architecture,
                    tag=weights.tag,
                    resolution=weights.resolution,
                )
        return Candidate(
            architecture=candidate.architecture,
            resolution=candidate.resolution or self.default_resolution(candidate),
        )

    def inputs(self, device: str) -> dict[str, str]:
        """SHA-256 of each file that an answer for a device rests on, by name."""
        names = ("accuracy.csv", "networks.csv", "layers.npz", "precision_changes.csv",
                 "runtime_operators.csv")  # fmt: skip
        files = [self.root / name for name in names]
        files += sorted(self.root.glob("estimator*.*"))
        files += [self.root / "measurements" / f"{device}.csv", store_path()]
        files.append(self.profiles.file_of(device) or self.profiles.resolve(device).path)
        return {path.name: self._hash(path) for path in files if is_there(path)}

    def _hash(self, path: Path) -> str:
        """SHA-256 of a file as it was when it was first asked for."""
        if path not in self._hashes:
            import hashlib

            self._hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._hashes[path]


def matches(network: str, tag: str | None, pattern: str) -> bool:
    """Tell whether a wildcard fits the architecture or the architecture with its tag."""
    full = f"{network}.{tag}" if tag else network
    return fnmatchcase(network, pattern) or fnmatchcase(full, pattern)


def matches_any(network: str, tag: str | None, patterns: tuple[str, ...]) -> bool:
    """Tell whether any wildcard fits the architecture or the architecture with its tag."""
    if not patterns:
        return False
    plain, wild = _split(patterns)
    if network in plain or f"{network}.{tag}" in plain:
        return True
    return any(matches(network, tag, pattern) for pattern in wild)


@lru_cache(maxsize=64)
def _split(patterns: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Separate names from wildcards, so that a list of hundreds of names is one look-up."""
    wild = tuple(pattern for pattern in patterns if WILDCARDS & set(pattern))
    return frozenset(patterns) - set(wild), wild


def evidence_with(own_profiles: Path | None) -> Evidence:
    """Return the shipped evidence with the user's own profiles before the shipped ones."""
    return Evidence(profiles=profile_library(own=own_profiles))


def _with_runtimes(unit: UnitProfile, ran: Set[tuple[str, str]]) -> UnitProfile:
    new = sorted(name for kind, name in ran if kind == unit.kind and name not in unit.runtimes)
    return replace(unit, runtimes=(*unit.runtimes, *new))

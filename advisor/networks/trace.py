"""Trace: the operator calls of one forward pass in order, with their data flow.

From it follow which operators a runtime folds into others, and how much memory is alive at once.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from advisor.core.workload import Fusion, Layer, OperatorClass

CONV_LIKE = frozenset(
    {
        OperatorClass.STEM,
        OperatorClass.DENSE,
        OperatorClass.POINTWISE,
        OperatorClass.DEPTHWISE,
        OperatorClass.GROUPED,
        OperatorClass.FULLY_CONNECTED,
    }
)
"""Operators with weights, whose output a runtime can finish in the same pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One costly operation."""

    layer: Layer
    inputs: tuple[int, ...]
    """Buffers read."""
    output: int
    """Buffer written."""
    producers: tuple[int, ...]
    """Calls that wrote the inputs; -1 for the image."""


@dataclass(slots=True)
class Trace:
    """Calls in order; buffers by number with their size in elements."""

    calls: list[Call] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    uncounted: Counter[str] = field(default_factory=Counter)

    def layers(self) -> tuple[Layer, ...]:
        """Return the distinct layers with their counts and their fusion."""
        fused = zip(self.calls, self.fusions(), strict=True)
        counted = Counter(replace(call.layer, fusion=fusion) for call, fusion in fused)
        return tuple(replace(layer, count=n) for layer, n in counted.items())

    def unknown(self) -> tuple[str, ...]:
        """Name the operations without a counting rule, with their calls."""
        return tuple(f"{name} ×{n}" for name, n in sorted(self.uncounted.items()))

    def fusions(self) -> list[Fusion]:
        """Decide for each call whether it can be done in the pass of its producer.

        Batch normalisation folds into the convolution before it; an activation is applied while
        its input is written; a residual addition likewise. Each needs that nobody else reads
        the input.
        """
        readers = Counter(p for call in self.calls for p in set(call.producers) if p >= 0)
        fusions: list[Fusion] = []
        for call in self.calls:
            sole = [p for p in call.producers if p >= 0 and readers[p] == 1]
            fusions.append(self._fusion(call, sole, fusions))
        return fusions

    def _fusion(self, call: Call, sole: list[int], before: list[Fusion]) -> Fusion:
        kinds = {self.calls[p].layer.operator for p in sole}
        operator, kind = call.layer.operator, call.layer.kind
        if operator is OperatorClass.NORMALISATION and "batch_norm" in kind:
            return Fusion.FOLDED if kinds & CONV_LIKE else Fusion.NONE
        if operator is OperatorClass.ACTIVATION and "softmax" not in kind:
            foldable = CONV_LIKE | {OperatorClass.NORMALISATION, OperatorClass.ELEMENTWISE}
            return Fusion.FOLDED if kinds & foldable else Fusion.NONE
        if kind == "add" and len(call.producers) == 2:
            joined = [p for p in sole if self.calls[p].layer.operator in CONV_LIKE or before[p]]
            return Fusion.RESIDUAL if joined else Fusion.NONE
        return Fusion.NONE

    def peak(self) -> int:
        """Return the most elements alive at once, each buffer from first writer to last reader.

        A folded operator writes over its input.
        """
        alias = self._aliases()

        def root(buffer: int) -> int:
            while buffer in alias:
                buffer = alias[buffer]
            return buffer

        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for step, call in enumerate(self.calls):
            for buffer in map(root, (*call.inputs, call.output)):
                first.setdefault(buffer, step)
                last[buffer] = step
        change: Counter[int] = Counter()
        for buffer, step in first.items():
            change[step] += self.sizes[buffer]
            change[last[buffer] + 1] -= self.sizes[buffer]
        alive = peak = 0
        for step in sorted(change):
            alive += change[step]
            peak = max(peak, alive)
        return peak

    def _aliases(self) -> dict[int, int]:
        """Map the output buffer of each folded call to the buffer it writes over."""
        alias: dict[int, int] = {}
        for call, fusion in zip(self.calls, self.fusions(), strict=True):
            if fusion is Fusion.NONE or not call.inputs or call.output in (*call.inputs, *alias):
                continue
            source = max(call.inputs, key=self.sizes.__getitem__)
            end = source
            while end in alias:
                end = alias[end]
            if end != call.output:
                alias[call.output] = source
        return alias

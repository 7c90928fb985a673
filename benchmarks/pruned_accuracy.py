"""How often the interval of a pruned network holds a published result that was left out.

    python -m benchmarks.pruned_accuracy

Each result at about half of the MACs is predicted from the others of its family, with the spread
of all families. A family of one result has nothing to predict it from.
"""

from collections import defaultdict

from advisor.answering.evidence import Evidence
from advisor.catalog.pruning_results import HalvedMacs, read_pruning
from benchmarks.shares import share_with_error

LEVEL = 0.9


def main() -> None:
    """Print every result with its interval, and the coverage."""
    results = read_pruning(Evidence().root)
    inside: dict[str, list[bool]] = defaultdict(list)
    for place, one in enumerate(results):
        if not one.is_about_half:
            continue
        others = [*results[:place], *results[place + 1 :]]
        found = HalvedMacs(results=others).at(one.network, level=LEVEL)
        if found is None:
            print(f"{one.network}: {100 * one.change:+.2f} points, no other result of its family")
            continue
        holds = found.low <= one.change <= found.high
        inside[one.family].append(holds)
        print(f"{one.network}: {100 * one.change:+.2f} points, expected {100 * found.value:+.2f} "
              f"({100 * found.low:+.2f} to {100 * found.high:+.2f})"
              f"{'' if holds else ' OUTSIDE'}")  # fmt: skip
    every = [float(holds) for held in inside.values() for holds in held]
    print(f"{sum(every):.0f} of {len(every)} results: {share_with_error(every)}")
    for family, held in inside.items():
        print(f"{family}: {sum(held)} of {len(held)}")


if __name__ == "__main__":
    main()

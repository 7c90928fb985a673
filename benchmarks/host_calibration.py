"""How well ten measurements on this machine predict twenty other networks.

    python benchmarks/host_calibration.py --runtime onnxruntime

Measures thirty networks (what was measured before is taken from the store), lets the estimator
learn ten of them, and prints its error on the other twenty.
"""

import click

from advisor.answering.calibrate import predicted, summary
from advisor.answering.evidence import Evidence
from advisor.answering.measure import ways
from advisor.cli.measure import run
from advisor.measuring.host import detected
from advisor.measuring.order import Order, Wish

NETWORKS = (
    "mobilenetv2_100", "resnet18", "efficientnet_b0", "mobilenetv3_large_100", "regnety_008",
    "mnasnet_100", "resnet50", "densenet121", "mobilenetv3_small_100", "convnext_atto",
    "resnet34", "mobilenetv2_050", "mobilenetv2_140", "efficientnet_lite0", "fbnetc_100",
    "hardcorenas_a", "ghostnet_100", "regnetx_004", "regnety_002", "regnetx_016",
    "resnet26", "lcnet_100", "regnetx_008", "spnasnet_100", "semnasnet_100",
    "mixnet_s", "vgg11", "resnext50_32x4d", "mobilenetv4_conv_small", "efficientnet_b1",
)  # fmt: skip
"""The first ten teach the estimator; the others are predicted."""
TAUGHT = 10


@click.command()
@click.option("--runtime", default="onnxruntime", show_default=True)
@click.option("--precision", default="fp32", show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--sessions", default=2, show_default=True)
@click.option("--budget", default=4.0, show_default=True, help="Seconds per network and session.")
def main(runtime: str, precision: str, threads: int, sessions: int, budget: float) -> None:
    """Measure, teach the estimator ten networks, and predict twenty others."""
    detected()
    wishes = tuple(Wish(spelling=name, network=name, resolution=224) for name in NETWORKS)
    (way,) = ways([runtime], [precision], unit="cpu", threads=threads, batch=1)
    lane = way.lane("host")
    evidence = Evidence()
    timed = {t.network for t in evidence.own_timings()[0] if t.lane == lane and t.resolution == 224}
    missing = tuple(wish for wish in wishes if wish.network not in timed)
    if missing:
        run(Order(device="host", wishes=missing, ways=(way,), sessions=sessions, budget=budget,
                  memory=False))  # fmt: skip
    evidence = Evidence()
    timings, table = evidence.own_timings()
    rows = {t.network: i for i, t in enumerate(timings) if t.lane == lane and t.resolution == 224}
    taught = [rows[name] for name in NETWORKS[:TAUGHT] if name in rows]
    asked = [rows[name] for name in NETWORKS[TAUGHT:] if name in rows]
    found = [predicted(evidence.latency, timings, table, row, taught) for row in asked]
    for one in found:
        click.echo(
            f"{one.timing.network:28} measured {1e3 * one.timing.seconds:7.2f} ms, "
            f"predicted {1e3 * one.after:7.2f} ms (without measurements {1e3 * one.before:7.2f})"
        )
    total = summary(lane, found)
    click.echo(
        f"\n{lane.name}: {len(taught)} networks taught, {total.networks} predicted: median error "
        f"{100 * total.before:.0f} % before, {100 * total.after:.1f} % after; "
        f"{100 * total.inside:.0f} % inside the 90 % intervals"
    )


if __name__ == "__main__":
    main()

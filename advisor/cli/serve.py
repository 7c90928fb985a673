"""``advisor serve``: the advisor as a page in the browser."""

import click

from advisor.cli.output import say
from advisor.core.extras import require
from advisor.errors import UsageError


@click.command("serve")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; others than loopback are open to the network.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port; 0 takes a free one.",
)
@click.option(
    "--at-once",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Requests that are answered at the same time.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=60.0,
    show_default=True,
    help="Longest time for one answer.",
)
@click.option("--profiles-dir", default="", help="Folder of your own device profiles.")  # fmt: skip
def command(host: str, port: int, at_once: int, seconds: float, profiles_dir: str) -> int:
    """Answer in the browser: a form, the report, downloads. Stop it with Ctrl+C."""
    require("serve", "flask", "waitress")
    from waitress.server import create_server  # type: ignore[import-untyped]

    from advisor.answering.asking import evidence_for
    from advisor.serving.site import Bounds, site

    app = site(evidence_for(profiles_dir), Bounds(at_once=at_once, seconds=seconds))
    try:
        server = create_server(app, host=host, port=port, threads=at_once + 2)
    except (OSError, ValueError) as error:  # the latter of a host that has no address
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot listen on {host}:{port}: {reason}") from None
    say(f"http://{host}:{server.effective_port}/ answers until Ctrl+C")
    server.run()
    return 0

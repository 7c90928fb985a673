"""``advisor import``: take measurements back from a board, a kit or a colleague."""

from typing import Any

import click

from advisor.cli.options import asked, config_option, request_options
from advisor.cli.output import complain, say
from advisor.core.measuring_request import ImportRequest


@click.command("import")
@request_options(ImportRequest)
@config_option
def command(**_: Any) -> int:
    """Read TABLE, screen it and keep its figures as your own.

    TABLE is a table of networks with their latency or throughput, under headers as people write
    them, or the log of trtexec, benchncnn, benchmark_app, onnxruntime_perf_test, benchmark_model,
    timm's benchmark.py or ultralytics benchmark. The options say what a row does not; what both
    leave open is resolved as 'advisor recommend' resolves it.
    """
    from advisor.answering.asking import evidence_for
    from advisor.answering.taking_in import take_in

    request = asked(ImportRequest)
    refused = take_in(request, evidence_for(request.profiles_dir), note=say, warn=complain)
    return 1 if refused else 0

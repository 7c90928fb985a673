"""What commands print fits a terminal of 80 columns."""

import pytest

from tests.terminal import ask

MODELS = "resnet18,mobilenetv2_*,efficientnet_b0,hgnetv2_b0,levit_128s"
COMMANDS = {
    "recommend": f"recommend --device jetson-nano --max-latency 10ms --models {MODELS}",
    "infeasible": f"recommend --device jetson-nano --max-latency 1ms --models {MODELS}",
    "compare": "compare resnet18 mobilenetv2_100 efficientnet_b0 --device jetson-nano "
    "--device raspberry-pi-4",
    "estimate": "estimate mobilenetv2_100 --device jetson-nano",
    "explain": "explain ghostnet_100 --device jetson-nano",
    "calibrate": "calibrate jetson-nano",
    "procure": "procure --devices jetson-nano,raspberry-pi-5,coral-usb-accelerator "
    f"--max-latency 50ms --models {MODELS}",
    "devices": "devices ls jetson",
    "models": "models ls mobilenetv2*",
    "model": "models show mobilenetv2_100",
    "measurements": "measurements ls",
    "plugins": "plugins",
    "validate": "validate --split chip --shots 0,10",
    "validate-variants": "validate --metric top1",
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS.values(), ids=list(COMMANDS))
def test_no_line_is_longer_than_eighty_characters(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer = ask(capsys, *command.split())
    assert answer.code in (0, 3)
    assert answer.out
    assert [line for line in answer.out.splitlines() if len(line) > 80] == []


def test_candidates_stand_side_by_side_lane_by_lane(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer = ask(
        capsys, "compare", "resnet18", "mobilenetv2_100", "--device", "jetson-nano,raspberry-pi-4"
    )
    lines = [line for line in answer.out.splitlines() if line.startswith("Latency")]
    assert len(lines) == 2
    assert all(line.count(" ms") == 2 for line in lines)

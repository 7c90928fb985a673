"""An invalid profile gives one line: file, line, field, what is allowed."""

from pathlib import Path

import pytest

from advisor.errors import ProfileError
from advisor.hardware.library import profile_library, read_profile

VALID = """\
id: board
name: Board
aliases: [plank]
units:
- kind: gpu
  name: Round GPU
  peak_gflops: {fp32: 100, fp16: 200}
  runtimes: [tensorrt]
  source: hand
  confidence: high
  runtimes_source: hand
memory:
  capacity_gb: 4
  bandwidth_gb_s: 10
  source: hand
  confidence: low
default_lane: {unit: gpu, runtime: tensorrt, precision: fp16}
"""
SILICON = """\
  silicon:
    chip_id: round-1
    clusters:
    - {cores: 2, core: Round, clock_ghz: 1.5}
    l2_mib: 1
    source: hand
    confidence: low
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "board.yaml"
    path.write_text(text)
    return path


def refusal(folder: Path, old: str, new: str) -> str:
    assert old in VALID
    path = written(folder, VALID.replace(old, new))
    with pytest.raises(ProfileError) as error:
        read_profile(path)
    message = str(error.value)
    assert "\n" not in message
    return message.removeprefix(str(folder) + "/")


def test_a_valid_file_is_read_in_si(tmp_path: Path) -> None:
    profile = read_profile(written(tmp_path, VALID))
    assert profile.units[0].peak.get("fp16") == pytest.approx(200e9)
    assert profile.bandwidth("gpu") == pytest.approx(10e9)


def test_a_number_written_as_text_is_named_with_its_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, "fp16: 200", "fp16: 47x") == (
        "board.yaml:7: units[0].peak_gflops.fp16: '47x' is not a number; allowed: a positive number"
    )


def test_a_negative_figure_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "capacity_gb: 4", "capacity_gb: -4") == (
        "board.yaml:13: memory.capacity_gb: -4 is out of range; allowed: a positive number"
    )


def test_zero_does_not_stand_for_unknown(tmp_path: Path) -> None:
    assert "0 is out of range" in refusal(tmp_path, "capacity_gb: 4", "capacity_gb: 0")


def test_not_a_number_is_refused(tmp_path: Path) -> None:
    assert "memory.capacity_gb" in refusal(tmp_path, "capacity_gb: 4", "capacity_gb: .nan")


def test_an_unknown_field_comes_with_the_nearest_name(tmp_path: Path) -> None:
    message = refusal(tmp_path, "capacity_gb: 4", "capacty_gb: 4")
    assert message.startswith("board.yaml:13: memory.capacty_gb: unknown field; did you mean")
    assert "'capacity_gb'" in message


def test_a_missing_field_is_named_at_its_group(tmp_path: Path) -> None:
    message = refusal(tmp_path, "  source: hand\n  confidence: low\n", "  confidence: low\n")
    assert message == "board.yaml:12: memory.source: missing; it is required"


def test_an_unknown_choice_lists_the_allowed_ones(tmp_path: Path) -> None:
    assert refusal(tmp_path, "kind: gpu", "kind: gpuu") == (
        "board.yaml:5: units[0].kind: 'gpuu' is unknown; allowed: cpu, gpu, npu, tpu or dla"
    )


def test_a_syntax_error_tells_its_line(tmp_path: Path) -> None:
    message = refusal(tmp_path, "memory:\n", "memory: [\n")
    assert message.startswith("board.yaml:1")
    assert "not valid YAML" in message


def test_a_key_that_appears_twice_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, "  capacity_gb: 4\n", "  capacity_gb: 4\n  capacity_gb: 8\n")
    assert message == "board.yaml:14: capacity_gb: appears twice; allowed: once"


def test_an_id_that_differs_from_the_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "id: board", "id: other") == (
        "board.yaml:1: id: 'other' differs from the file; allowed: 'board'"
    )


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="empty"):
        read_profile(written(tmp_path, ""))


def test_text_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="not a mapping"):
        read_profile(written(tmp_path, "just words\n"))


def test_a_date_may_be_written_without_quotes(tmp_path: Path) -> None:
    price = "price:\n  launch: {amount_usd: 9, date: 2019-03-18}\n  source: x\n  confidence: low\n"
    launch = read_profile(written(tmp_path, VALID + price)).price
    assert launch is not None
    assert launch.launch is not None
    assert launch.launch.date == "2019-03-18"


def test_own_profiles_hide_shipped_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    own = tmp_path / "profiles"
    own.mkdir()
    (own / "jetson-nano.yaml").write_text(VALID.replace("id: board", "id: jetson-nano"))
    assert profile_library().load("jetson-nano").name == "Board"


def test_own_profiles_are_found_by_alias(tmp_path: Path) -> None:
    written(tmp_path, VALID)
    assert profile_library(own=tmp_path).load("plank").id == "board"


def test_a_stated_folder_that_is_missing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_PROFILES", str(tmp_path / "nowhere"))
    with pytest.raises(ProfileError, match="does not exist"):
        profile_library()


def test_silicon_is_read_in_si(tmp_path: Path) -> None:
    text = VALID.replace("  peak_gflops", f"{SILICON}  peak_gflops")
    silicon = read_profile(written(tmp_path, text)).units[0].silicon
    assert silicon is not None
    assert (silicon.l2, silicon.clusters[0].clock) == (2**20, 1.5e9)
    assert silicon.origin.source == "hand"


def test_a_cluster_without_its_core_is_refused(tmp_path: Path) -> None:
    made = SILICON.replace("core: Round, ", "")
    message = refusal(tmp_path, "  peak_gflops", f"{made}  peak_gflops")
    assert message == "board.yaml:10: units[0].silicon.clusters[0].core: missing; it is required"


def test_memories_of_a_microcontroller_are_powers_of_two(tmp_path: Path) -> None:
    text = VALID.replace("  capacity_gb: 4", "  flash_kib: 2048\n  ram_kib: 640")
    memory = read_profile(written(tmp_path, text)).memory
    assert memory is not None
    assert (memory.flash, memory.ram) == (2 << 20, 640 << 10)


def test_an_alias_may_be_a_name_with_spaces(tmp_path: Path) -> None:
    path = written(tmp_path, VALID.replace("[plank]", "[plank, Board (2nd edition)]"))
    assert read_profile(path).aliases == ("plank", "Board (2nd edition)")


def test_a_separator_inside_an_alias_is_refused(tmp_path: Path) -> None:
    assert "allowed: text without ';'" in refusal(tmp_path, "[plank]", "['a;b']")


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("bandwidth_gb_s: 10", "bandwidth_gb_s: 1.0e+300", "at most 1e+12"),
        ("bandwidth_gb_s: 10", "bandwidth_gb_s: 1.0e-300", "at least 1e-09"),
        ("fp16: 200", "fp16: 1.0e+300", "at most 1e+12"),
        ("fp16}", f"fp16, batch: {10**20}}}", "at most 1e+06"),
        ("fp16}", "fp16, batch: -1}", "at least 0"),
        ("fp16}", f"fp16, threads: {10**20}}}", "at most 10000"),
        ("name: Round GPU", f"name: Round GPU\n  cores: {10**20}", "at most 1e+06"),
    ],
)
def test_what_nothing_real_can_be_is_refused(
    tmp_path: Path, old: str, new: str, allowed: str
) -> None:
    assert f"is out of range; allowed: {allowed}" in refusal(tmp_path, old, new)


def test_more_cores_of_a_kind_than_threads_may_be_asked_for_are_refused(tmp_path: Path) -> None:
    silicon = SILICON.replace("cores: 2", "cores: 999999999999")
    said = refusal(
        tmp_path,
        "  source: hand\n  confidence: high",
        f"{silicon}  source: hand\n  confidence: high",
    )
    assert "clusters[0].cores: 999999999999 is out of range; allowed: at most 10000" in said


def test_a_number_that_yaml_reads_as_text_is_told_how_to_write(tmp_path: Path) -> None:
    said = refusal(tmp_path, "bandwidth_gb_s: 10", "bandwidth_gb_s: 1e3")
    assert "'1e3' is text in YAML; write a number without quotes, such as 1.0e+3" in said

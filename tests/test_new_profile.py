"""A profile starts as a copy of a like device, without what is of that device alone."""

from pathlib import Path

import pytest

from advisor.cli.main import run
from advisor.errors import UsageError
from advisor.hardware.library import ProfileLibrary, profiles_directory, read_profile
from advisor.hardware.new_profile import start
from advisor.hardware.origin import Confidence

LIBRARY = ProfileLibrary(folders=(profiles_directory(),))


def test_a_new_device_has_the_units_of_the_like_one_at_low_confidence(tmp_path: Path) -> None:
    profile = read_profile(start("Orange Pi 6", "orangepi5", LIBRARY, tmp_path))
    assert (profile.id, profile.name) == ("orange-pi-6", "Orange Pi 6")
    assert [unit.kind for unit in profile.units]
    assert {unit.compute.confidence for unit in profile.units} == {Confidence.LOW}
    assert profile.units[0].compute.source == "as orangepi5; to be checked"


def test_price_power_and_names_of_the_like_device_are_not_copied(tmp_path: Path) -> None:
    profile = read_profile(start("Nano II", "jetson-nano", LIBRARY, tmp_path))
    assert (profile.price, profile.power, profile.lifecycle) == (None, None, None)
    assert (profile.aliases, profile.lanes) == ((), ())


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'jetson-nano' exists already"):
        start("Jetson Nano", "jetson-tx2", LIBRARY, tmp_path)


def test_own_profiles_go_to_a_folder_that_exists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = ["devices", "new", "Nano II", "--like", "jetson-nano", "--profiles-dir"]
    assert run([*new, str(tmp_path / "none")]) == 2
    assert "none is no folder; name one with profiles" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
    assert run([*new, str(tmp_path)]) == 0
    assert (tmp_path / "nano-ii.yaml").is_file()


def test_a_profile_that_the_index_does_not_know_is_found(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("id,aliases,chip_aliases,name,vendor,default_lane\n")
    start("Nano II", "jetson-nano", LIBRARY, tmp_path)
    assert ProfileLibrary(folders=(tmp_path,)).names() == ["nano-ii"]

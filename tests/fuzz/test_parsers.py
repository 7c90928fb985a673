"""Readers are fed what reaches new code: a short part of ``python -m benchmarks.parsers``."""

import pytest

from benchmarks.parsers import READERS, fed


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_bytes_that_reach_new_code_end_in_a_value_or_a_line(name: str) -> None:
    pytest.importorskip("atheris")
    count, found = fed(name, 4.0)
    assert found == []
    assert count > 0

"""What is written is read back as it was, and what no figure can be is refused, for any value."""

import math
import re
import tempfile
from dataclasses import MISSING, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.catalog.tables import Table, write_table
from advisor.core.candidate import Candidate
from advisor.core.filed import Document
from advisor.core.quantity import Unit, human, parse, spell
from advisor.errors import AdvisorError, CatalogError, UsageError
from advisor.estimators.validation.external import COLUMNS
from advisor.estimators.validation.external import against as against_model
from advisor.hardware.library import read_profile
from advisor.hardware.profile_file import ProfileFile
from advisor.hardware.profile_text import written
from advisor.procurement.assumptions import assumptions
from advisor.reports.json import parse as read_document

NO_FIGURES = ("nan", "inf", "-inf", "1e999", "-1")


@pytest.mark.parametrize("value", NO_FIGURES)
def test_an_axis_is_a_finite_number(value: str) -> None:
    with pytest.raises(UsageError, match=f"width={value} is out of range"):
        Candidate.parse(f"resnet18:width={value}")


@given(unit=st.sampled_from(Unit), value=st.just(0.0) | st.floats(min_value=1e-17, max_value=1e17))
def test_every_quantity_is_read_back_as_it_was(unit: Unit, value: float) -> None:
    value = min(value, 1.0) if unit is Unit.FRACTION else value
    assert parse(spell(value, unit), unit, option="--x") == value


@given(unit=st.sampled_from(Unit), value=st.floats(min_value=1e-6, max_value=900))
def test_what_people_read_they_may_write(unit: Unit, value: float) -> None:
    """Up to the digits shown; a count below a thousand has no unit to be written."""
    value = {Unit.FRACTION: value / 900, Unit.COUNT: value * 1e4 + 1e3}.get(unit, value)
    shown = parse(human(value, unit), unit, option="--x")
    assert shown == pytest.approx(value, rel=0.005, abs=0.0005)


@pytest.mark.parametrize("text", ["12.3 µs", "12.3 μs", "12.3us"])
def test_micro_is_read_in_all_its_spellings(text: str) -> None:
    assert parse(text, Unit.SECOND, option="--x") == 12.3e-6
    assert parse(text.replace("s", "J"), Unit.JOULE, option="--x") == 12.3e-6


def values_of(annotation: Any, metadata: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """Return what a field of the file format may hold."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return values_of(arguments[0], (*metadata, *annotation.__metadata__))
    if origin in (Union, UnionType):
        return st.one_of(
            [st.none() if one is NoneType else values_of(one, metadata) for one in arguments]
        )
    if origin is not None:
        return _filled(origin, arguments, metadata)
    if issubclass(annotation, Document):
        return contents_of(annotation)
    return _plain(annotation, metadata)


def _stated(name: str, metadata: tuple[Any, ...]) -> Any:
    """Return what the rules beside a type say of one limit."""
    return next(
        (value for one in metadata if (value := getattr(one, name, None)) is not None), None
    )


def _filled(
    origin: Any, arguments: tuple[Any, ...], metadata: tuple[Any, ...]
) -> st.SearchStrategy[Any]:
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is dict:
        return st.dictionaries(*map(values_of, arguments), max_size=2)
    least = _stated("min_length", metadata) or 0
    return st.lists(values_of(arguments[0]), min_size=least, max_size=2)


def _plain(kind: type, metadata: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    pattern, low, above, high = (_stated(name, metadata) for name in ("pattern", "ge", "gt", "le"))
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(min_value=low, max_value=high or 10**6)
    if kind is float:
        least = low if above is None else above
        most = 1e15 if high is None else high
        floats = st.floats(min_value=least, max_value=most, exclude_min=above is not None)
        return floats.filter(lambda value: value > 1e-15)
    if kind is str:
        if pattern:
            return st.from_regex(pattern, fullmatch=True).filter(lambda text: len(text) < 60)
        needed = _stated("min_length", metadata) or 0
        return st.text(st.characters(codec="utf-8"), min_size=needed, max_size=20) | TRICKY
    return st.sampled_from([one.value for one in kind])  # type: ignore[attr-defined]


TRICKY = st.sampled_from(
    [
        *("yes", "null", "1e3", "0x1f", "2019-03", "a: b", "# no", "- x", "'", '"', "~"),
        *("é\U0001f600", "a\x85b", "\u2028"),
    ]
)
"""Words that YAML takes for something else where they are not quoted."""


def contents_of(model: type[Document]) -> st.SearchStrategy[dict[str, Any]]:
    """Return contents of one mapping of the file; fields that may lack are there or not."""
    needed: dict[str, st.SearchStrategy[Any]] = {}
    free: dict[str, st.SearchStrategy[Any]] = {}
    for field in fields(model):
        required = field.default is MISSING and field.default_factory is MISSING
        (needed if required else free)[field.name] = values_of(field.type)
    return st.fixed_dictionaries(needed, optional=free)


@settings(max_examples=30)
@given(contents_of(ProfileFile))
def test_every_profile_is_read_back_as_it_was(content: dict[str, Any]) -> None:
    expected = ProfileFile.model_validate(content).convert()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{content['id']}.yaml"
        path.write_text(written(content), encoding="utf-8")
        assert read_profile(path) == expected


@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))),
        max_size=5,
    )
)
def test_every_table_is_read_back_with_one_kind_of_line_end(rows: list[tuple[str, str]]) -> None:
    columns = ("first", "second")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path, columns, [dict(zip(columns, row, strict=True)) for row in rows])
        found = [tuple(record.values()) for _, record in Table(path, columns).records()]
    ends = re.compile("\r\n|\r")
    assert found == [(ends.sub("\n", first), ends.sub("\n", second)) for first, second in rows]


FIGURE = {
    "timm_name": "resnet18", "input_h": "224", "latency_ms": "10", "device_id": "jetson-nano",
    "unit": "gpu", "runtime": "tensorrt", "precision": "fp16",
}  # fmt: skip


@pytest.mark.parametrize("value", [*NO_FIGURES, "ten"])
def test_a_figure_to_check_against_is_a_positive_number(value: str, tmp_path: Path) -> None:
    path = tmp_path / "figures.csv"
    write_table(path, COLUMNS, [{**FIGURE, "latency_ms": value}])
    with pytest.raises(CatalogError, match=r"figures.csv, line 2, column latency_ms"):
        against(path)


def test_a_column_stated_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text(",".join([*COLUMNS, "unit"]) + "\n")
    with pytest.raises(CatalogError, match="unit appears twice"):
        against(path)


def against(path: Path) -> object:
    """Read a table of figures; the estimator is not reached."""
    from advisor.core.workload_table import WorkloadTable

    return against_model(path, None, WorkloadTable.of([]))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ['{"kind": NaN}', '{"kind": 1, "kind": 2}', '{"a": -Infinity}'])
def test_a_stored_result_holds_numbers_and_each_field_once(text: str) -> None:
    with pytest.raises(UsageError, match="is not JSON"):
        read_document(text, "result.json")


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("field", ["years", "fx", "criteria", "system_memory"])
def test_an_assumption_is_a_finite_number(field: str, value: float) -> None:
    stated = {"fx": {"EUR": value}, "criteria": {"cost": value}}.get(field, value)
    with pytest.raises(AdvisorError, match=field):
        assumptions({field: stated}, "own.yaml")

"""Documents: frozen records that read and write themselves as JSON."""

from collections.abc import Sequence
from dataclasses import FrozenInstanceError, field
from typing import Annotated

import pytest
from pydantic import ValidationError

from advisor.core.filed import Document, Listed, Rule, field_names


class Part(Document):
    """Something a document holds."""

    size: Annotated[float, Rule(gt=0)]
    names: tuple[str, ...] = ()


class Whole(Part):
    """A document with a part and a default made anew."""

    part: Part | None = None
    shares: dict[str, float] = field(default_factory=dict)


WHOLE = Whole(size=2.0, part=Part(size=1.0, names=("a", "b")), shares={"a": 0.5})


def test_a_document_is_read_back_as_it_was_written() -> None:
    assert Whole.model_validate_json(WHOLE.model_dump_json()) == WHOLE
    assert Whole.model_validate(WHOLE.model_dump()) == WHOLE


def test_fields_stand_in_the_order_of_the_classes() -> None:
    assert field_names(Whole) == ("size", "names", "part", "shares")
    assert [name for name, _ in WHOLE] == list(field_names(Whole))
    assert list(WHOLE.model_dump()) == list(field_names(Whole))


def test_a_document_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError, match="size"):
        WHOLE.size = 3.0  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="size"):
        del WHOLE.size


def test_a_copy_has_other_values_of_some_fields() -> None:
    assert WHOLE.model_copy(update={"size": 3.0}).size == 3.0
    assert WHOLE.size == 2.0
    with pytest.raises(TypeError):
        WHOLE.model_copy(update={"weight": 3.0})


def test_missing_and_unknown_fields_are_named() -> None:
    with pytest.raises(TypeError, match="missing or unknown fields: size"):
        Whole()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="weight"):
        Part(size=1.0, weight=2.0)  # type: ignore[call-arg]


def test_documents_share_no_default() -> None:
    assert Whole(size=1.0).shares is not Whole(size=1.0).shares


def test_equal_documents_are_of_one_kind() -> None:
    assert Part(size=1.0) == Part(size=1.0)
    assert hash(Part(size=1.0)) == hash(Part(size=1.0))
    assert Part(size=1.0) != Part(size=2.0)
    assert Part(size=1.0) != Whole(size=1.0)
    assert repr(Part(size=1.0)) == "Part(size=1.0, names=())"


@pytest.mark.parametrize(
    "content",
    [{}, {"size": 0.0}, {"size": "big"}, {"size": float("nan")}, {"size": 1.0, "weight": 2.0}],
)
def test_a_file_that_breaks_a_rule_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Part.model_validate(content)


class Counted(Document):
    """A document with a sequence whose items are made when they are read."""

    sizes: Annotated[Sequence[int], Listed()]


def test_any_sequence_is_written_as_a_list_and_read_as_a_tuple() -> None:
    written = Counted(sizes=range(3)).model_dump_json()
    assert written == '{"sizes":[0,1,2]}'
    assert Counted.model_validate_json(written).sizes == (0, 1, 2)
    shape = {"type": "array", "items": {"type": "integer"}, "title": "Sizes"}
    assert Counted.model_json_schema()["properties"]["sizes"] == shape

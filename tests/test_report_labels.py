"""Names in charts cover neither each other nor the points they name."""

from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.reports.labels import Box, placed

FRAME = Box(left=70, top=30, right=740, bottom=360)
words = st.from_regex(r"[a-z_0-9]{3,26}", fullmatch=True)
spots = st.lists(st.tuples(st.floats(70, 740), st.floats(30, 360), words), max_size=8)


@settings(max_examples=40)
@given(spots, spots)
def test_no_name_covers_another_or_any_mark(
    names: list[tuple[float, float, str]], others: list[tuple[float, float, str]]
) -> None:
    taken = [Box(left=400, top=30, right=560, bottom=64)]
    marks = [(x, y) for x, y, _ in others]
    found = placed(names, FRAME, taken, marks=marks)
    for place, label in enumerate(found):
        assert FRAME.holds(label.box)
        assert not any(label.box.meets(other.box) for other in found[place + 1 :])
        assert not any(label.box.meets(box) for box in taken)
        assert not any(label.box.meets(Box.around(x, y, 5)) for x, y, _ in [*names, *others])


def test_a_name_stands_beside_its_point_where_there_is_room() -> None:
    (label,) = placed([(300, 200, "net")], FRAME)
    assert not label.is_far
    assert label.box.meets(Box.around(300, 200, 12))


def test_a_name_that_is_moved_away_has_a_line_to_its_point() -> None:
    crowd = [(300 + i, 200 - i, f"network_number_{i}") for i in range(6)]
    far = [label for label in placed(crowd, FRAME) if label.is_far]
    assert far
    x, y = far[0].end
    assert far[0].box.left <= x <= far[0].box.right
    assert far[0].box.top <= y <= far[0].box.bottom

"""Charts of trials: round ticks, keys inside the picture, numbers in the page's own colours."""

import re
from xml.etree import ElementTree

from advisor.reports.trial_charts import accuracy_bars, confusion, training_curves

SVG = "{http://www.w3.org/2000/svg}"


def texts(drawing: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(drawing).iter(f"{SVG}text"))


def test_accuracies_stand_over_round_per_cents() -> None:
    drawing = accuracy_bars([("a", 0.837, 0.753, 0.917), ("b", 0.673, 0.583, 0.759)], title="t")
    shown = [text.text for text in texts(drawing) if text.get("text-anchor") == "middle"]
    assert shown == ["60 %", "70 %", "80 %", "90 %"]


def test_the_key_of_curves_lies_inside_the_picture() -> None:
    curves = [(f"net{i}", [(0.0, 0.1), (1.0, 0.9)]) for i in range(6)]
    drawing = training_curves(curves, title="t", up="accuracy")
    height = float(re.search(r'viewBox="0 0 \d+ (\d+)"', drawing)[1])  # type: ignore[index]
    assert max(float(text.get("y", 0)) for text in texts(drawing)) <= height - 6


def test_numbers_of_a_confusion_take_their_colour_from_the_page() -> None:
    drawing = confusion([[3, 1], [0, 4]], ["a", "b"], title="t")
    told = [text for text in texts(drawing) if text.get("class") == "told"]
    assert [text.text for text in told] == ["3", "1", "4"]
    assert "style=" not in drawing

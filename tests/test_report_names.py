"""Long names on a page break between their parts, and nothing else of the page changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.reports.html import breakable

NAME = "vit_base_patch16_siglip_gap_512.v2_webli"
WORDS = st.text(alphabet="abc123_.@:/=,-<>\"'& ", max_size=60)


def test_a_long_name_may_break_between_its_parts() -> None:
    assert breakable(f"<td>{NAME}</td>") == (
        "<td>vit_<wbr>base_<wbr>patch16_<wbr>siglip_<wbr>gap_<wbr>512.<wbr>v2_<wbr>webli</td>"
    )


@pytest.mark.parametrize(
    "page",
    [
        "<td>resnet18.a1_in1k</td>",
        f'<a href="#{NAME}">x</a>',
        f"<script>const x = '{NAME}';</script>",
        f"<svg><text>{NAME}</text></svg>",
        f"<pre>{NAME}</pre>",
    ],
)
def test_short_names_attributes_scripts_pictures_and_commands_stay(page: str) -> None:
    assert breakable(page) == page


@given(st.lists(st.tuples(st.sampled_from(["td", "svg", "pre", "b"]), WORDS), max_size=5))
def test_no_sign_is_added_or_lost(parts: list[tuple[str, str]]) -> None:
    from html import escape

    page = "".join(f'<{tag} title="{escape(text)}">{escape(text)}</{tag}>' for tag, text in parts)
    assert breakable(page).replace("<wbr>", "") == page

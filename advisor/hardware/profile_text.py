"""Writes profiles as YAML."""

from collections.abc import Mapping
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Safe dumper that repeats no anchors and keeps long entries off a single line."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the name is PyYAML's
        return True

    def represent_mapping(
        self, tag: str, mapping: Any, flow_style: bool | None = None
    ) -> yaml.MappingNode:
        return super().represent_mapping(tag, mapping, False if "source" in mapping else flow_style)

    def represent_scalar(self, tag: str, value: str, style: str | None = None) -> yaml.ScalarNode:
        quoted = any(end in value for end in _LINE_ENDS)
        return super().represent_scalar(tag, value, style='"' if quoted else style)


_LINE_ENDS = "\x85\u2028\u2029"
"""Characters that YAML reads as line ends; between quotes they are written as escapes."""


def written(profile: Mapping[str, Any]) -> str:
    """Write the content of a profile file as YAML, fields in the order given."""
    return yaml.dump(
        dict(profile),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )

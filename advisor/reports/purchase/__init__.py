"""The purchase review: its sections, cells and figures."""

"""Serving: the advisor as a local page, through the same requests and reports as everywhere."""

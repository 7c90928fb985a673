"""The search: variants between and beyond the catalog's networks."""

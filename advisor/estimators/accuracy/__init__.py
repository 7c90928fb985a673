"""Predicted accuracy of variants that nobody trained, for a named training recipe."""

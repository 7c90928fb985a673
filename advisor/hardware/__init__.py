"""Devices: their profiles, their lanes, and where both are found."""

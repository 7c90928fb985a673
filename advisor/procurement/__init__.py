"""Procurement: what a fleet of devices costs and which device to buy.

Pure functions on recommendations, on facts of the devices and on assumptions that the buyer edits.
"""

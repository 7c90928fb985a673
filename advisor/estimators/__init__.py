"""Estimators: latency, memory and energy of networks that nobody measured in a lane.

``latency`` answers, ``fitting`` fits it to the catalog, ``baselines`` holds what it has to beat.
"""

"""Blueprints: what a variant of a network consists of, decided by arithmetic alone.

A blueprint holds every number that building the network needs and no weights. The search prices
it without building anything; ``networks.variants`` builds it.
"""

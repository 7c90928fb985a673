"""Workloads of variants computed from their blueprints, without building a network."""

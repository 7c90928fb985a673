"""Measure on boards that cannot run the advisor: pack a kit, bring its table back."""

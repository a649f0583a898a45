"""Measurements and endurance: what takes too long, or depends too much on the machine, for a test."""

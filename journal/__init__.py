"""The turn log: what is written, and how."""

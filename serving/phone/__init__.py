"""Telephone calls as they are announced to the server."""

"""Tests of the server and of the processes behind it."""

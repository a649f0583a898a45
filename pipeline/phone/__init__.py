"""A session whose caller is on the telephone."""

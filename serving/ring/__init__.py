"""`make call`: a telephone that rings a server of this machine."""

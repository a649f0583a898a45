"""What the server is made of."""

"""How long media take through a server, and what that costs: Salon and others, side by side."""

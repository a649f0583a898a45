"""Who may have a session now: slots, limits for each client, and the dispatcher that leases them."""

"""Who may do what with the server: callers, session ids, origins and hosts, bounds of requests."""

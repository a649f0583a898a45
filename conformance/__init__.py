"""Whether clients as published can talk to the understudy."""

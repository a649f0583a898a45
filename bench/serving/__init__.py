"""What sessions of their own cost: how long they take to start, what they hold, what they leave."""

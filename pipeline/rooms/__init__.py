"""A session in a room: several people, whose sound, pictures and words are told apart."""

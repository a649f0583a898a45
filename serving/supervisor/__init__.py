"""Sessions as processes: forked from a warm parent, watched, limited, and never used twice."""

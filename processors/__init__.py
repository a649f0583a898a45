"""Our own frame processors and observers, one file each."""

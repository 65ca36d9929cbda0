"""Our own pytest plugins, named on the command line."""

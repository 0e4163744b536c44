"""Discord only: read a command's options, call one function of the core, say the answer. One feature a file."""

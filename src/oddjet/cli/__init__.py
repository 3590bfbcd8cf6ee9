"""The command `oddjet`: a module a command, each with its words, its options and its call."""

"""The log: its vocabulary of events, and the way of a line to a pipe, a terminal or the journal."""

"""What is owed, when and why: pure values and functions. Time is always an argument."""

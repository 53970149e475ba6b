"""What only the leading node runs: whatever sends, looks up or tidies, from recovery to drain."""

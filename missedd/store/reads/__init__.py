"""What console, API and commands read: lists a page at a time, stories, gauges."""

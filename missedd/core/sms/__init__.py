"""The text of an SMS: templates, DLT registration, segments."""

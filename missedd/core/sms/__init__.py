"""The text of an SMS: fields in the body, DLT templates, segments."""

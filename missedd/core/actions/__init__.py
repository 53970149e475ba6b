"""An action's life: its states, its outcomes, its retries, and what is kept of it."""

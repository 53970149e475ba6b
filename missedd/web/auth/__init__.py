"""Who may use the private site: hosts, tokens, login, sessions."""

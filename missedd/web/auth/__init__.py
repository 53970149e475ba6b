"""Access to the private site: host names, API token, login and sessions."""

"""PostgreSQL, for those who outgrow one machine: several nodes on one database."""

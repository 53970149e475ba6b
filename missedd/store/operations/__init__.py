"""The units of work behind `missedd.operator_actions`: each makes one kind of change in the database."""

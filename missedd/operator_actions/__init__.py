"""What an operator can change: one description per action, from which everything else comes.

`missedd suppress`, `POST /api/v1/suppressions`, its part of the OpenAPI document and the form of the console
are one `OperatorAction` (`numbers.SUPPRESS`), read by three interpreters: `missedd.commands.operator`,
`missedd.web.api.operator_routes` (with `operator_openapi`) and `missedd.web.console.operator_forms`.

A new action touches three files:

1. its description, in the module of its subject here: a dataclass of what is asked for (an `OperatorChange`),
   an `OperatorAction` that describes it, and a place in the module's `ACTIONS`;
2. its unit of work, in the module of the same name in `missedd.store.operations`: a function that changes
   the database and returns an `Effect`, and a place in the module's `OPERATIONS`;
3. its test.
"""

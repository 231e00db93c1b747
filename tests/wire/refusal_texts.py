"""What refusals say that several actions have in common."""


def constraint(value: str | None, path: str, rule: str) -> str:
    """Return the text for one member, at `path`, whose value breaks a rule of the model."""
    shown = "null" if value is None else f"'{value}'"
    return (
        f"1 validation error detected: Value {shown} at '{path}' failed to satisfy constraint:"
        f" Member must {rule}"
    )


SELECT_AND_PROJECTION: list[tuple[str, str | None, str]] = [
    (
        "ALL_ATTRIBUTES",
        "pk",
        "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
    ),
    (
        "COUNT",
        "pk",
        "Cannot specify the ProjectionExpression when choosing to get only the Count",
    ),
    (
        "ALL_PROJECTED_ATTRIBUTES",
        "pk",
        "Cannot specify the ProjectionExpression when choosing to get ALL_PROJECTED_ATTRIBUTES",
    ),
    (
        "ALL_PROJECTED_ATTRIBUTES",
        None,
        "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
    ),
    (
        "SPECIFIC_ATTRIBUTES",
        None,
        (
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get"
            " SPECIFIC_ATTRIBUTES"
        ),
    ),
]
"""Values of Select and ProjectionExpression that do not go together, with the text for them."""

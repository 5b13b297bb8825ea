"""What all HTTP answers have in common: errors, headers, health, idempotency.

Sits beside the features' routes and above their logic: features never import from
here. They raise `ops.errors` and mark their routes (`opt={"idempotent": True}`);
`ops.app` brings both together.
"""

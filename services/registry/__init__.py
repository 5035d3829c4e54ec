"""The registry: immutable versions, aliases with gates, promotions with their history."""

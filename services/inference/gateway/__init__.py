"""The gateway callers speak to: routes a question to a ready version, streams the reply and its evidence."""

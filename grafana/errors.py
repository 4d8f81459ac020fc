"""What is told when a dashboard or a rule breaks one of the rules of this package."""


class DefinitionError(Exception):
    """A dashboard, panel or rule that is not written as the readers of its output need it."""

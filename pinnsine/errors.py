"""The kinds of error that a user meets, and why they differ."""


class ProblemError(ValueError):
    """The user's input breaks a rule: the message says the rule, what was got and how to mend it."""


class EvaluationError(RuntimeError):
    """An evaluation cannot be carried out: an unknown derivative, a missing Taylor rule, non-finite numbers."""


class RankError(RuntimeError):
    """Another process of a joint run has ended, so that this one cannot go on."""

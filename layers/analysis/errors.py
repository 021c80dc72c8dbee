"""What an analysis cannot do, as types; each says why and what to do."""


class AnalysisError(ValueError):
    """The analysis cannot be made of these inputs."""


class TooMuch(AnalysisError):
    """The analysis would need, or answer, more than is allowed."""

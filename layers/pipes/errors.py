"""What the pipe network cannot answer, as types; each says what was wrong and what to do."""


class PipeError(ValueError):
    """The question cannot be answered of these inputs."""


class NoSuchPipe(PipeError):
    """There is no such pipe or node, or none near the point."""


class PipesTooMany(PipeError):
    """The answer would hold more pipes than are allowed."""

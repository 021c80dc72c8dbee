"""What a terrain analysis cannot do, as types; each says why and what to do."""


class TerrainError(ValueError):
    """The analysis cannot be made of these inputs."""


class OutsideElevation(TerrainError):
    """A place that the analysis starts from has no known height."""


class AnalysisTooLarge(TerrainError):
    """The analysis would need more cells, samples or obstacles than are allowed."""

"""Why a planning operation is refused, in both languages of the interface."""

from layers.catalogue import Text


class PlanningError(ValueError):
    """The operation cannot be done with these inputs; the message names what is wrong and what to do."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.text = Text(zh, en)


class PlanningConflict(PlanningError):
    """What is asked for contradicts the state of a red line, or another red line."""


class StepNotAllowed(PlanningError):
    """The step is for another role than those of the account."""

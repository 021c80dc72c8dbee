"""The fixtures of derived layers serve here too."""

from tests.layers.derived.conftest import bring_up, store, take

__all__ = ["bring_up", "store", "take"]

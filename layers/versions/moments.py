"""An instant as people give it: written out, or by the name of a version."""

from datetime import datetime

from layers.database import Reader
from layers.versions.instants import instant_named
from layers.versions.names import instant_of


def moment_of(reader: Reader, text: str, layer_id: str) -> datetime:
    """The instant that a text means for a layer. Raises :class:`layers.versions.errors.NoSuchVersion`."""
    return instant_named(text) or instant_of(reader, text, (layer_id,))

"""What a process calls another by: see :class:`layers.processing.OtherProcesses`."""

from collections.abc import Mapping
from typing import Any

import orjson

from geoserver.errors import InputError, NoSuchProcess, NotAllowed
from geoserver.process_adapter import PROCESSES
from layers.access import Principal
from layers.processing import FileResult


class Others:
    """The other processes within one execution; ``handed_in`` is what that has handed in itself."""

    def __init__(self, principal: Principal, handed_in: Mapping[Any, Any]) -> None:
        self._principal = principal
        self._handed_in = handed_in

    def run(self, process: str, inputs: Mapping[str, Any]) -> Any:
        """See :meth:`layers.processing.OtherProcesses.run`. Raises :class:`NotAllowed`, :class:`InputError`."""
        found = PROCESSES.get(process)
        if found is None:
            raise NoSuchProcess(f"there is no process {process!r} in this city")
        if not self._principal.may_execute(found.id, edits=found.declared.edits):
            raise NotAllowed(f"you may not execute process {found.id!r}: ask an administrator for a role that may")
        values = found.checked(inputs)
        if found.uploads_in(values) or found.gives_file:
            raise InputError(f"process {found.id!r} deals in files here, which another process cannot hand on")
        result = found.call(values, self._handed_in)
        if isinstance(result, FileResult):
            raise InputError(f"process {found.id!r} gave a file, which another process cannot take")
        return orjson.loads(found.output.dump_json(result))

"""What a collection's document says beside what pygeoapi writes: EDR queries, and the temporal extent."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from geoserver.edr.routes import described
from geoserver.reply import Reply
from layers.temporal import spans

if TYPE_CHECKING:
    from geoserver.city import City

_GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"


def completed(city: "City", reply: Reply) -> Reply:
    """The JSON document of one or all collections, completed; any other as it is."""
    if reply.media_type != "application/json" or reply.status != 200:
        return reply
    assert isinstance(reply.body, bytes)
    document: dict[str, Any] = orjson.loads(reply.body)
    documents = document.get("collections", [document])
    described(city, documents)
    known = [city.layers[one["id"]] for one in documents if one["id"] in city.layers]
    with city.reading() as reader:
        found = spans(reader, known)
    for one in documents:
        if one["id"] in found:
            interval = [_written(moment) for moment in found[one["id"]]]
            one["extent"]["temporal"] = {"interval": [interval], "trs": _GREGORIAN}
    return Reply(orjson.dumps(document), reply.media_type, reply.status, reply.headers)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

"""What can be wrong with a request of Open311, by the status that GeoReport v2 gives it."""

from layers.catalogue import Text


class Open311Error(ValueError):
    """400: an argument is missing or malformed."""

    status = 400

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


class NotFound311(Open311Error):
    """404: a service_code, service_request_id, token or jurisdiction_id is not known here."""

    status = 404

"""WMTS and WMS in OpenAPI."""

from geoserver.openapi import Json, content, errors_in, operation, parameter, reference

_TEXT: Json = {"type": "string"}
_ERRORS = errors_in("text/xml", "application/json", "application/vnd.ogc.se_xml")


def ows_paths() -> Json:
    """The routes of the older services. Their parameters are those of their standards, in any case."""
    picture = {"200": content("A picture or a document", "image/png", "image/jpeg", "image/webp", "text/xml")}
    asked = [parameter(name, what, _TEXT) for name, what in (("SERVICE", "WMTS or WMS"), ("REQUEST", "What is asked"))]
    tile = [
        {"name": name, "in": "path", "required": True, "schema": _TEXT}
        for name in ("collectionId", "style", "tms", "z", "y", "x")
    ]
    point = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in ("j", "i")]
    lang = reference("parameters", "lang")
    here = "/wmts/{collectionId}/{style}/{tms}/{z}/{y}/{x}"
    info = {"200": content("What is there", "application/json")}
    capabilities = {"200": content("Capabilities", "text/xml")}
    return {
        "/wmts": {
            "get": operation("getWmts", "OGC WMTS 1.0.0 by key and value", [*asked, lang], picture, errors=_ERRORS)
        },
        "/wmts/tianditu": {
            "get": operation("getTianditu", "WMTS as 天地图 has it", [*asked, lang], picture, errors=_ERRORS)
        },
        "/wmts/1.0.0/WMTSCapabilities.xml": {
            "get": operation("getWmtsCapabilities", "WMTS capabilities", [lang], capabilities, errors=_ERRORS)
        },
        here: {"get": operation("getWmtsTile", "A tile of WMTS", tile, picture, errors=_ERRORS)},
        f"{here}/{{j}}/{{i}}": {
            "get": operation("getWmtsInfo", "What is at a pixel", [*tile, *point], info, errors=_ERRORS)
        },
        "/wms": {"get": operation("getWms", "OGC WMS 1.3.0 and 1.1.1", [*asked, lang], picture, errors=_ERRORS)},
    }

"""The older services of the OGC, for clients that know no others: WMTS 1.0.0 and WMS 1.3.0 (and 1.1.1).

Both draw as OGC API Maps does (:mod:`geoserver.map_contents`); here are only their parameters, documents and errors.
"""

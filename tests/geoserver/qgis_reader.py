"""Opens layers of an OGC API in QGIS, without a screen, and prints what QGIS makes of them as JSON.

Run by the system's Python, which has the module ``qgis``: ``python3 qgis_reader.py < tasks.json``.
"""

import json
import sys

from qgis.core import QgsApplication, QgsFeatureRequest, QgsRectangle, QgsVectorLayer
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QVariant


def plain(value):
    if isinstance(value, QVariant):
        return None if value.isNull() else value.value()
    if isinstance(value, QDateTime):
        return value.toUTC().toString(Qt.ISODateWithMs)
    if isinstance(value, QDate):
        return value.toString(Qt.ISODate)
    return value


def read(task):
    source = f"url='{task['url']}' typename='{task['layer']}' restrictToRequestBBOX='1'" + task.get("more", "")
    layer = QgsVectorLayer(source, task["layer"], "OAPIF")
    if not layer.isValid():
        return {"error": layer.error().summary()}
    accepted = layer.setSubsetString(task["subset"]) if "subset" in task else True
    request = QgsFeatureRequest()
    if "box" in task:
        request.setFilterRect(QgsRectangle(*task["box"]))
    features = [
        {"values": [plain(v) for v in f.attributes()], "wkb": bytes(f.geometry().asWkb()).hex()}
        for f in layer.getFeatures(request)
    ]
    extent = layer.extent()
    return {
        "accepted": accepted,
        "count": layer.featureCount(),
        "fields": {f.name(): f.typeName() for f in layer.fields()},
        "crs": layer.crs().authid(),
        "extent": [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()],
        "features": features,
    }


application = QgsApplication([], False)
application.initQgis()
try:
    answers = [read(task) for task in json.load(sys.stdin)]
finally:
    application.exitQgis()
print("ANSWER" + json.dumps(answers))

"""Loads a layer definition or a project in QGIS, without a screen, and prints how its layers are drawn, as JSON.

Run by the system's Python, which has the module ``qgis``: ``python3 qgis_loader.py FILE.qlr|FILE.qgs``.
"""

import json
import sys

from qgis.core import QgsApplication, QgsLayerDefinition, QgsProject


def drawn(layer):
    found = {"name": layer.name(), "valid": layer.isValid(), "provider": layer.providerType()}
    renderer = layer.renderer() if hasattr(layer, "featureCount") else None
    if renderer is not None and renderer.type() == "categorizedSymbol":
        found["attribute"] = renderer.classAttribute()
        found["classes"] = [[c.value(), c.label(), c.symbol().color().name()] for c in renderer.categories()]
    elif renderer is not None:
        found["colour"] = renderer.symbol().color().name()
    if hasattr(layer, "featureCount") and layer.isValid():
        found["features"] = sum(1 for _ in layer.getFeatures())
    return found


application = QgsApplication([], False)
application.initQgis()
try:
    project = QgsProject.instance()
    if sys.argv[1].endswith(".qlr"):
        accepted, why = QgsLayerDefinition.loadLayerDefinition(sys.argv[1], project, project.layerTreeRoot())
    else:
        accepted, why = project.read(sys.argv[1]), ""
    layers = [drawn(layer) for layer in project.mapLayers().values()]
    order = [node.name() for node in project.layerTreeRoot().findLayers()]
    crs = project.crs().authid()
    project.clear()
finally:
    application.exitQgis()
print("ANSWER" + json.dumps({"accepted": accepted, "why": why, "layers": layers, "order": order, "crs": crs}))

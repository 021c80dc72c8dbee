"""Writes parcels as a DXF drawing: outlines on 用地红线, points and their names on layers of their own."""

from collections.abc import Sequence
from pathlib import Path

from ezdxf.addons.r12writer import r12writer

from planning.survey.parcel import Parcel
from planning.survey.zones import PREFIX

#: Height of names [m], 2 mm on a plot at 1:500.
_TEXT = 1.0
_HEADER = "0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1009\n9\n$DWGCODEPAGE\n3\nANSI_936\n0\nENDSEC\n"


def write_dxf(parcels: Sequence[Parcel], path: Path, *, prefixed: bool = True) -> None:
    """DXF R12 in GBK, (x east, y north) [m]; eastings with the zone number or without."""
    with path.open("w", encoding="gbk", errors="dxfreplace") as file:
        file.write(_HEADER)
        with r12writer(file) as drawing:
            for parcel in parcels:
                offset = parcel.zone.number * PREFIX if prefixed else 0
                for ring in parcel.rings:
                    places = [(point.east + offset, point.north) for point in ring]
                    drawing.add_polyline_2d(places, closed=True, layer="用地红线")
                    for place, point in zip(places, ring, strict=True):
                        drawing.add_point(place, layer="界址点")
                        drawing.add_text(" ".join(point.name.split()), insert=place, height=_TEXT, layer="界址点号")

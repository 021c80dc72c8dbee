"""Plausible indices of the sample city's plots by their land code; invented, and the same every time."""

from typing import Any

#: Code (longest prefix fits) → land use, FAR, density [%], green [%], height [m], parking per 100 m² of floor.
_BY_CODE: tuple[tuple[str, str, float, float, float, float, float], ...] = (
    ("0702", "社区服务设施用地", 1.5, 35, 30, 24, 0.6),
    ("07", "城镇住宅用地", 2.2, 25, 35, 80, 1.0),
    ("0801", "机关团体用地", 1.8, 35, 30, 50, 0.8),
    ("0804", "教育用地", 0.9, 25, 35, 24, 0.3),
    ("0806", "医疗卫生用地", 1.8, 35, 30, 60, 0.8),
    ("08", "公共服务用地", 1.2, 35, 30, 36, 0.6),
    ("09", "商业服务业用地", 3.0, 45, 20, 100, 0.8),
    ("10", "工业用地", 1.2, 50, 15, 24, 0.3),
    ("11", "物流仓储用地", 1.0, 55, 15, 24, 0.2),
    ("12", "交通运输用地", 0.6, 40, 20, 24, 0.2),
    ("13", "公用设施用地", 0.8, 40, 30, 24, 0.2),
    ("14", "绿地与开敞空间用地", 0.1, 5, 75, 9, 0.0),
)
_OTHER = ("", "其他用地", 1.0, 40.0, 20.0, 24.0, 0.3)


def indices_of(place: int, code: str, age: int) -> dict[str, Any]:
    """The indices of the plot at a place of the list. ``age`` 1: of the version before, where a part was different."""
    changed = age == 1 and place % 7 == 0
    code = "16" if changed and place % 14 == 0 else code or "16"
    _, use, far, density, green, height, parking = next((row for row in _BY_CODE if code.startswith(row[0])), _OTHER)
    far = round(far * (0.8 if changed else 1.0) * (0.9 + place % 3 * 0.1), 2)
    return {
        "scheme": "2023", "land_code": code, "land_use": use,
        "far_max": far, "far_min": 0.0, "density_max": density, "green_min": green, "height_max": height,
        "setback_road": 8.0, "setback_green": 5.0, "setback_water": 15.0, "setback_plot": 4.0, "parking_min": parking,
    }  # fmt: skip

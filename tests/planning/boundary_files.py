"""A small sound boundary-point file that tests spoil."""

HEADER = """[属性描述]
格式版本号=1.01版本
数据产生单位=鄂州市自然资源和规划局
数据产生日期=2025-3-1
坐标系=2000国家大地坐标系
几度分带=3
投影类型=高斯克吕格
计量单位=米
带号=38
精度=0.001
转换参数=,,,,,,
[地块坐标]
"""
#: Line numbers of the file: header 1–11, [地块坐标] 12, parcel 13, points 14–18.
PARCEL = "5,1.0000,420704-001,示范地块,面,,商业用地,0901,@\n"
SQUARE = """J1,1,3364900.000,38586400.000
J2,1,3364900.000,38586500.000
J3,1,3364800.000,38586500.000
J4,1,3364800.000,38586400.000
J1,1,3364900.000,38586400.000
"""
SOUND = HEADER + PARCEL + SQUARE


def spoiled(old: str, new: str, count: int = -1) -> str:
    """The sound file with a text replaced; the text must be there."""
    assert old in SOUND, old
    return SOUND.replace(old, new, count)


def with_points(*points: tuple[float, float], count: int | None = None, ring: int = 1, more: str = "") -> str:
    """A file of one parcel with points at (north, east) from (3364000, 586000), perhaps with more lines."""
    lines = [f"J{i},{ring},{3364000 + n:.3f},{38586000 + e:.3f}" for i, (n, e) in enumerate(points, 1)]
    return HEADER + PARCEL.replace("5,1.0000", f"{count or len(points)},") + "\n".join(lines) + "\n" + more

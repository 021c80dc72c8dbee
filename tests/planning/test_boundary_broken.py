"""Broken boundary-point files: each is told with its line, in words that a surveyor understands, in both languages."""

import pytest

from planning.boundary.reader import read_boundary_points
from tests.planning.boundary_files import HEADER, PARCEL, SOUND, SQUARE, spoiled, with_points

_ONE = "J2,1,3364900.000,38586500.000"
_HOLE = "J9,2,{0},{1}\nJ10,2,{0},{2}\nJ11,2,{3},{2}\nJ12,2,{3},{1}\n"


def _hole(south: int, west: int, size: int = 30) -> str:
    return _HOLE.format(f"{south + size}.000", f"{west}.000", f"{west + size}.000", f"{south}.000")


#: Name, text, code, severity, line, a word of the Chinese and of the English message.
BROKEN: list[tuple[str, str, str, str, int, str, str]] = [
    ("empty", "", "section-missing", "error", 0, "缺少 [属性描述]", "missing"),
    ("no parcels section", SOUND.replace("[地块坐标]\n", ""), "section-missing", "error", 0, "缺少 [地块坐标]", "missing"),
    ("some other text", "你好\n", "before-section", "error", 1, "之前有内容", "stands before"),
    ("section twice", SOUND + "[地块坐标]\n", "section-twice", "error", 19, "重复出现", "twice"),
    ("unknown section", SOUND + "[备注]\n随便\n", "section-unknown", "warning", 19, "不认识的段", "not known"),
    ("header without =", spoiled("带号=38", "带号 38"), "header-line", "error", 9, "名称=值", "name=value"),
    ("unknown attribute", spoiled("精度=0.001", "精度=0.001\n颜色=红"), "header-unknown", "warning", 11, "不认识的属性", "not known"),
    ("attribute twice", spoiled("精度=0.001", "带号=38"), "header-twice", "error", 10, "已在第 9 行", "line 9"),
    ("Xian 80", spoiled("2000国家大地坐标系", "1980西安坐标系"), "system", "error", 5, "西安80", "not CGCS2000"),
    ("WGS84", spoiled("2000国家大地坐标系", "WGS84"), "system", "error", 5, "不是 2000国家大地坐标系", "not CGCS2000"),
    ("no system", spoiled("坐标系=2000国家大地坐标系", "坐标系="), "system-missing", "warning", 5, "未说明坐标系", "read as CGCS2000"),
    ("width 5", spoiled("几度分带=3", "几度分带=5"), "width", "error", 6, "应为 3 或 6", "must be 3 or 6"),
    ("no width", spoiled("几度分带=3\n", ""), "width-missing", "warning", 0, "未说明几度分带", "zones of 3°"),
    ("projection", spoiled("高斯克吕格", "墨卡托"), "projection", "error", 7, "应为高斯克吕格", "Gauss-Krüger"),
    ("unit", spoiled("计量单位=米", "计量单位=英尺"), "unit", "error", 8, "应为米", "metre"),
    ("zone 99", spoiled("带号=38", "带号=99"), "zone-range", "error", 9, "应为 25–45", "25–45"),
    ("6° zone number as 3°", spoiled("带号=38", "带号=20"), "zone-range", "error", 9, "20 是 6° 带的带号", "a zone of 6°"),
    ("zone is a word", spoiled("带号=38", "带号=三十八"), "zone-number", "error", 9, "应是数字", "must be digits"),
    ("date", spoiled("2025-3-1", "2025-13-1"), "date", "warning", 4, "不是日期", "no date"),
    ("precision", spoiled("精度=0.001", "精度=高"), "precision", "warning", 10, "不是 0 到 1 米之间的数", "no number"),
    ("parameters", spoiled("转换参数=,,,,,,", "转换参数=1.5,2,,,,,"), "parameters", "warning", 11, "未作转换", "nothing was transformed"),
    ("zone against Y", spoiled("38586500.000\nJ3", "39586500.000\nJ3"), "zone-contradiction", "error", 15, "与第 9 行的带号 38 矛盾", "contradicts"),
    ("zones mixed", spoiled("带号=38\n", "").replace("38586500.000\nJ3", "39586500.000\nJ3"), "zone-mixed", "error", 14, "不一致", "is not 38"),
    ("prefix mixed", spoiled("38586500.000\nJ3", "586500.000\nJ3"), "prefix-mixed", "error", 15, "没有带号，与第 14 行不一致", "lacks the zone number"),
    ("zone nowhere", SOUND.replace("带号=38\n", "").replace(",38586", ",586"), "zone-unknown", "error", 0, "无法确定位置", "place is unknown"),
    ("zone from Y", SOUND.replace("带号=38\n", ""), "zone-missing", "warning", 0, "按 Y 坐标取 38", "taken from Y"),
    ("X and Y swapped", spoiled(_ONE, "J2,1,38586500.000,3364900.000"), "swapped", "error", 15, "似乎颠倒", "swapped"),
    ("degrees", spoiled(_ONE, "J2,1,30.4012,114.9001"), "degrees", "error", 15, "像是经纬度", "look like degrees"),
    ("X too short", spoiled(_ONE, "J2,1,33649.000,38586500.000"), "north-range", "error", 15, "7 位", "7 digits"),
    ("Y too short", spoiled(_ONE, "J2,1,3364900.000,58650.000"), "east-range", "error", 15, "8 位", "8 digits"),
    ("Y too long", spoiled(_ONE, "J2,1,3364900.000,385865000.000"), "east-range", "error", 15, "8 位", "8 digits"),
    ("X is a word", spoiled(_ONE, "J2,1,北,38586500.000"), "not-a-number", "error", 15, "X 坐标不是数", "X is no number"),
    ("Y missing", spoiled(_ONE, "J2,1,3364900.000,"), "not-a-number", "error", 15, "Y 坐标缺失", "Y is missing"),
    ("NaN", spoiled(_ONE, "J2,1,NaN,38586500.000"), "not-a-number", "error", 15, "X 坐标不是数", "X is no number"),
    ("infinite", spoiled(_ONE, "J2,1,3364900.000,1e99"), "east-range", "error", 15, "8 位", "8 digits"),
    ("three fields", spoiled(_ONE, "J2,3364900.000,38586500.000"), "point-fields", "error", 15, "四项", "name,ring,X,Y"),
    ("no name", spoiled(_ONE, ",1,3364900.000,38586500.000"), "point-name", "error", 15, "没有点号", "no name"),
    ("ring 0", spoiled(_ONE, "J2,0,3364900.000,38586500.000"), "ring-number", "error", 15, "圈号", "ring number"),
    ("ring is a letter", spoiled(_ONE, "J2,外,3364900.000,38586500.000"), "ring-number", "error", 15, "圈号", "ring number"),
    ("begins with ring 2", SOUND.replace(",1,33", ",2,33"), "ring-order", "error", 14, "应为 1", "should be 1"),
    ("ring skipped", SOUND.replace("5,1.0000", "9,") + _hole(3364820, 38586420).replace(",2,", ",3,"), "ring-order", "error", 19, "应为 2，不是 3", "should be 2"),
    ("ring interrupted", spoiled(_ONE, "J2,2,3364900.000,38586500.000"), "ring-order", "error", 16, "不连续", "interrupted"),
    ("no @", spoiled(",@", ""), "no-at-sign", "error", 13, "@ 结尾", "end in @"),
    ("a parcel field too few", spoiled("面,,", "面,"), "parcel-fields", "error", 13, "有 7 项", "this one 7"),
    ("a comma in a name", spoiled("示范地块", "示范,地块"), "parcel-fields", "error", 13, "可能有逗号", "may hold a comma"),
    ("a line, not an area", spoiled("面,,", "线,,"), "kind", "error", 13, "应为“面”", "must be 面"),
    ("count too large", spoiled("5,1.0000", "7,1.0000"), "count", "error", 13, "界址点数为 7，而下面有 4 个点", "4 follow"),
    ("a line was lost", spoiled(_ONE + "\n", "").replace("1.0000", "0.5000"), "count", "error", 13, "可能缺行", "may be missing"),
    ("count is a word", spoiled("5,1.0000", "五,1.0000"), "count", "error", 13, "不是整数", "no whole number"),
    ("no count", spoiled("5,1.0000", ",1.0000"), "count-missing", "warning", 13, "没有给出界址点数", "no count"),
    ("area differs", spoiled("1.0000", "1.0500"), "area", "warning", 13, "相差 -0.0500 公顷", "1.0000 ha"),
    ("area in m²", spoiled("1.0000", "10000"), "area-unit", "warning", 13, "似为平方米", "seems to be in m²"),
    ("area is a word", spoiled("1.0000", "一公顷"), "area-format", "warning", 13, "不是数", "no number"),
    ("no points", HEADER + PARCEL, "no-points", "error", 13, "没有界址点", "no points"),
    ("no parcels", HEADER, "no-parcels", "error", 0, "没有地块", "no parcel"),
    ("points without a parcel", HEADER + SQUARE, "point-before-parcel", "error", 13, "没有以 @ 结尾的地块行", "before the first parcel"),
    ("two points", with_points((0, 0), (0, 100)), "too-few-points", "error", 14, "至少要有 3 个", "three different points"),
    ("closing point elsewhere", spoiled("J1,1,3364900.000,38586400.000\n", "J1,1,3364900.000,38586400.250\n").replace("@\nJ1,1,3364900.000,38586400.250", "@\nJ1,1,3364900.000,38586400.000"), "closing-point", "error", 18, "闭合点 J1", "closing point"),
    ("name twice", spoiled("J3,1", "J2,1"), "name-twice", "error", 16, "点号 J2 已在第 15 行用过", "line 15 already"),
    ("name left out", spoiled("J3,1", "J7,1"), "name-gap", "warning", 16, "J2 之后是 J7", "J7 follows J2"),
    ("point repeated", spoiled(_ONE + "\n", _ONE + "\n" + _ONE.replace("J2", "J2a") + "\n"), "duplicate-point", "warning", 16, "与第 15 行的 J2 重合", "left out"),
    ("points nearly the same", with_points((0, 0), (0, 100), (0.005, 100.003), (100, 100)), "near-points", "warning", 16, "不到 1 厘米", "less than 1 cm"),
    ("bow tie", with_points((0, 0), (100, 100), (0, 100), (100, 0)), "self-crossing", "error", 16, "边 J3-J4 与第 14 行起的边 J1-J2 相交", "meets side J1-J2"),
    ("touches itself", with_points((0, 0), (0, 100), (100, 100), (50, 50), (100, 0), (50, 50)), "self-crossing", "error", 18, "相交", "meets side"),
    ("turns back", with_points((0, 0), (0, 100), (0, 200), (0, 100.5), (100, 100)), "spike", "error", 16, "J3 处边界原路折回", "turns back at J3"),
    ("spike", with_points((0, 0), (0, 100), (50, 100), (50.2, 300), (50.4, 100), (100, 100), (100, 0)), "spike", "warning", 17, "疑为尖刺", "perhaps a spike"),
    ("hole outside", SOUND.replace("5,1.0000", "9,") + _hole(3364880, 38586420), "hole-outside", "error", 19, "内圈不在外圈之内", "within the outline"),
    ("holes overlap", SOUND.replace("5,1.0000", "13,") + _hole(3364820, 38586420) + _hole(3364830, 38586430).replace(",2,", ",3,").replace("J", "J1"), "holes-overlap", "error", 23, "与第 19 行起的内圈重叠", "line 19"),
    ("coarse coordinates", SOUND.replace(".000\n", ".0\n"), "precision", "warning", 14, "只有 1 位小数", "1 decimals"),
    ("number twice", SOUND + (PARCEL + SQUARE).replace("3364", "3365"), "number-twice", "warning", 13, "重复", "not unique"),
    ("parcels overlap", SOUND + (PARCEL + SQUARE).replace("001", "002").replace("3364900", "3364950"), "parcels-overlap", "warning", 19, "重叠 10000.00 平方米", "10000.00 m²"),
    ("beside its zone", SOUND.replace("38586", "38686"), "out-of-zone", "warning", 13, "相邻的带", "neighbour of zone"),
    ("far from its zone", SOUND.replace("38586", "38850"), "far-from-zone", "error", 13, "带号或坐标有误", "from the central meridian"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "severity", "line", "zh", "en"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
def test_it_is_told_with_its_line(text: str, code: str, severity: str, line: int, zh: str, en: str) -> None:
    found = read_boundary_points(text)
    [finding, *_] = [f for f in found.findings if f.code == code] or [None]
    assert finding is not None, [f.text for f in found.findings]
    assert (finding.severity, finding.line) == (severity, line)
    assert zh in finding.text.zh and en in finding.text.en
    if line:
        assert finding.text.zh.startswith(f"第 {line} 行：") and finding.text.en.startswith(f"line {line}: ")
    if severity == "error":
        assert found.parcels == ()


def test_there_are_forty_kinds_of_broken_files() -> None:
    assert len(BROKEN) >= 60 and len({row[2] for row in BROKEN}) >= 40

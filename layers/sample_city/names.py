"""Chinese names for everything in the sample city, and their romanisation.

All names are invented from common elements; a resemblance to real ones is chance.
"""

from functools import cache

import numpy as np
from pypinyin import Style, lazy_pinyin

CITY = "云泽"
_FIRST = (
    "云青长白玉金凤龙石紫清碧丹文明安兴永和泰福春华东南新古双锦翠望松竹梅桃桂荷兰银红柳杨枫星月朝宁康"
    "嘉瑞景仁义德望卧灵秀沧澜"
)
_SECOND = "山湖江河岭桥林塘泉湾洲园阳溪台亭墩坪峰港池沙浦津关坡井冲屏光庄田"
_MAIN = (
    "人民", "建设", "中山", "解放", "文昌", "迎宾", "江汉", "学府", "黄鹤", "楚天", "朝阳", "和平",
    "长江", "青年", "友谊", "前进", "团结", "胜利", "光华", "鼓楼", "云泽", "湖滨", "锦绣", "创业",
    "科技", "世纪", "凤凰", "滨湖", "体育", "东风",
)
_SURNAMES = (
    "张王李刘陈杨黄赵周吴徐孙朱马胡郭林何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁"
    "沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙贺陶顾毛郝龚邵万钱严覃武"
    "戚莫孔向汤"
)
_SHOPS = (
    ("food", "餐馆", ("小馆", "热干面", "牛肉面馆", "鱼庄", "火锅", "烧烤", "饺子馆", "早点铺", "土菜馆", "茶饮")),
    ("shopping", "超市", ("超市", "便利店", "生活超市", "水果店", "服装店", "五金店", "文具店", "烟酒店", "花店")),
    ("service", "生活服务", ("理发店", "洗衣店", "快递驿站", "家电维修", "照相馆", "房产中介", "汽车美容")),
    ("finance", "银行", ("农商银行", "城市银行", "储蓄所")),
    ("health", "药店", ("大药房", "口腔诊所", "中医诊所")),
    ("lodging", "宾馆", ("宾馆", "快捷酒店", "招待所")),
    ("leisure", "休闲娱乐", ("网咖", "健身房", "棋牌室", "书吧", "台球俱乐部")),
)
#: Well-known real places that the characters would spell.
_REAL = {
    "桂林", "玉林", "青海", "龙泉", "凤阳", "丹阳", "南阳", "东阳", "安阳", "长江", "玉山", "泰山",
    "华山", "金沙", "白山", "南江", "东湖", "长沙", "金山", "南山", "东台", "东港", "新沂", "丹江",
    "青田", "长泰", "嘉峰", "春江", "望江", "青山", "青岭", "银川", "明光", "丹东", "华阳", "新洲",
    "石林",
}
_ENGLISH_SUFFIX = {
    "社区": "Community", "街道": "Subdistrict", "大道": "Avenue", "公园": "Park", "小区": "Residential Quarter",
    "高速": "Expressway", "快速路": "Expressway", "环路": "Ring Road", "医院": "Hospital", "小学": "Primary School",
    "中学": "Middle School", "大学": "University", "广场": "Square", "街": "Street", "路": "Road", "巷": "Lane",
    "线": "Line", "区": "District", "县": "County", "市": "City", "镇": "Town", "乡": "Township", "村": "Village",
    "湖": "Lake", "塘": "Pond", "江": "River", "河": "River", "港": "Creek", "渠": "Canal", "洲": "Islet",
}


#: Characters that names pronounce otherwise than a single character by default.
_READINGS = {"长": ("chang", "cháng"), "行": ("hang", "háng"), "曾": ("zeng", "zēng"), "重": ("chong", "chóng")}


@cache
def _sound(character: str) -> tuple[str, str]:
    """A character's syllable without and with tone mark; other text as it is."""
    plain, toned = lazy_pinyin(character)[0], lazy_pinyin(character, style=Style.TONE)[0]
    return _READINGS.get(character, (plain, toned))


def _plain(text: str) -> str:
    return "".join(_sound(character)[0] for character in text).capitalize()


@cache
def pinyin(text: str) -> str:
    """Pinyin with tone marks, one word: 云泽 → Yúnzé."""
    return "".join(_sound(character)[1] for character in text).capitalize()


@cache
def english(text: str) -> str:
    """The name as an English map writes it: 云泽市 → Yunze City."""
    for length in (3, 2, 1):
        suffix = text[-length:]
        if suffix in _ENGLISH_SUFFIX and len(text) > length:
            return f"{_plain(text[:-length])} {_ENGLISH_SUFFIX[suffix]}"
    return _plain(text)


class NameBook:
    """Hands out names, each pair of characters once per sort of thing until all are used."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng([seed, 9])
        self._pairs: dict[str, list[str]] = {}
        self._round: dict[str, int] = {}
        self._villages: set[str] = set()
        self._main = [str(name) for name in self._rng.permutation(_MAIN)]

    def pair(self, sort: str) -> str:
        """Two characters such as 云山, new for this ``sort`` of thing; a third character after a full round."""
        left = self._pairs.get(sort)
        if not left:
            every = sorted({a + b for a in _FIRST for b in _SECOND if a != b} - _REAL)
            left = self._pairs[sort] = [str(name) for name in self._rng.permutation(every)]
            self._round[sort] = self._round.get(sort, -1) + 1
        turn = self._round[sort]
        return left.pop() + ("" if turn == 0 else "新上下前后中里外"[(turn - 1) % 8])

    def ring(self, order: int, count: int) -> str:
        """Name of a ring road, counted from the inside."""
        return "绕城高速" if order == count - 1 else f"{'一二三四五'[order]}环路"

    def arterial(self, rank: int, *, eastward: bool, embankment: bool) -> tuple[str, str]:
        """The names of an arterial's two halves: west and east, or south and north of the centre."""
        low, high = ("西", "东") if eastward else ("南", "北")
        if embankment:
            stem = "滨江" if "滨江" not in self._round else "沿江"
            self._round.setdefault("滨江", 0)
            return f"{stem}{low}路", f"{stem}{high}路"
        stem = self._main.pop() if self._main else self.pair("road")
        suffix = "大道" if rank % 4 == 0 else "路"
        return f"{stem}{low}{suffix}", f"{stem}{high}{suffix}"

    def street(self, sort: str) -> str:
        """Name of a local street: ``sort`` is its suffix, 路 街 or 巷."""
        return self.pair("road") + sort

    def expressway(self) -> str:
        """Name of a radial expressway."""
        return self.pair("road") + "快速路"

    def village(self) -> str:
        """Name of a village: 陈家湾; 上陈家湾 and so on where it is taken."""
        pick = self._rng.integers
        stem = _SURNAMES[pick(len(_SURNAMES))] + ("家" if pick(3) else "")
        name = stem + ("湾", "塆", "垸", "咀", "嘴", "台", "墩", "冲", "畈", "大湾")[pick(10)]
        while name in self._villages:
            name = "上下东西南北新老前后"[pick(10)] + name
        self._villages.add(name)
        return name

    def shop(self) -> tuple[str, str, str]:
        """Name, category and kind of a shop."""
        pick = self._rng.integers
        weights = (10, 9, 6, 2, 3, 2, 3)
        category, kind, suffixes = _SHOPS[int(self._rng.choice(len(_SHOPS), p=np.array(weights) / sum(weights)))]
        owner = _SURNAMES[pick(len(_SURNAMES))] + "记" if category == "food" and pick(2) else self.pair("shop")
        return owner + suffixes[pick(len(suffixes))], category, kind

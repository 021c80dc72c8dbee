"""House numbers: every building belongs to premises, and premises are numbered along their road.

Odd numbers stand left of the road's direction, even ones right. A housing estate (小区), a school, or a works is one
premises with one number and 栋 inside; an ordinary house is its own.
"""

from dataclasses import dataclass

import numpy as np

from layers.sample_city.arterials import TRUNK
from layers.sample_city.axes import Flags, Floats, Ints
from layers.sample_city.buildings import LABELS, Buildings
from layers.sample_city.kinds import NAMES, ORDINAL
from layers.sample_city.names import NameBook
from layers.sample_city.parcels import Parcels
from layers.sample_city.plan import Plan

#: Kinds whose buildings share one address, and how the whole is called.
_ESTATES = {"slab6": "小区", "slab18": "花园", "tower33": "府", "villa": "山庄", "factory": "公司",
            "warehouse": "物流园", "university": "学院", "research": "研究院"}
_SUFFIXES = {"小区": ("小区", "新村", "家园", "苑"), "花园": ("花园", "雅苑", "名城", "华庭", "花城"),
             "府": ("府", "公馆", "天玺", "云邸", "国际"), "山庄": ("山庄", "别墅", "墅院"),
             "公司": ("机械有限公司", "电子有限公司", "汽车零部件有限公司", "纺织有限公司", "食品有限公司",
                     "新材料有限公司"),
             "物流园": ("物流园", "仓储中心"), "学院": ("学院", "大学", "职业技术学院"), "研究院": ("研究院", "软件园")}

_OFFICES = ("政务中心", "法院", "公安分局", "税务局", "教育局", "住房和城乡建设局", "自然资源和规划局")


@dataclass(frozen=True, slots=True)
class Addresses:
    """By building: ``premises`` ordinal, ``house`` number within an estate or 0. By premises: ``road`` name ordinal
    or -1, ``number``, ``place`` name or "", ``gate`` (n, 2) [m], ``parcel``."""

    premises: Ints
    house: Ints
    road: Ints
    number: Ints
    place: list[str]
    gate: Floats
    parcel: Ints
    kind: Ints

    def text(self, premises: int, names: list[str]) -> str:
        """Road, number and 号; in the country, village and number."""
        road = self.road[premises]
        return f"{names[road] if road >= 0 else self.place[premises]}{self.number[premises]}号"


def make_addresses(plan: Plan, parcels: Parcels, buildings: Buildings, book: NameBook) -> Addresses:
    """Addresses of all buildings, which are in order of parcels."""
    key = _premises_keys(parcels, buildings)
    _, first, premises = np.unique(key, return_index=True, return_inverse=True)
    parcel = buildings.parcel[first]
    via, side, front = _fronts(parcels, buildings, first, plan.blocks)
    shared = np.bincount(premises)[premises] > 1
    house = np.where(shared, _count_within(premises), 0)
    at = np.arange(len(first)), side
    road = np.where(front >= 0, front, -1)
    start, end = parcels.corners[via, side], parcels.corners[via, (side + 1) % 4]
    middle = (start + end) / 2
    centre = buildings.centre[first]
    ahead = (end - start) / np.hypot(*(end - start).T)[:, None]
    sign = np.where(np.abs(ahead[:, 0]) > np.abs(ahead[:, 1]), np.sign(ahead[:, 0] * middle[:, 0]),
                    np.sign(ahead[:, 1] * middle[:, 1]))
    chain = parcels.chain[via][at] + sign * ((centre - middle) * ahead).sum(1)
    number = _numbers(np.where(road >= 0, road, -2 - parcels.block[parcel]), parcels.along[via][at], chain)
    inward = centre - middle
    gate = middle + inward / np.maximum(np.hypot(*inward.T), 1)[:, None] * (parcels.keep[via][at] + 2)[:, None]
    single = np.bincount(premises) == 1
    gate = np.where(single[:, None], centre, gate)
    kind = parcels.kind[parcel]
    place = _places(kind, parcels.block[parcel], road, single, buildings.label[first], book)
    return Addresses(premises, house, road, number, place, gate, parcel, kind)


def _premises_keys(parcels: Parcels, buildings: Buildings) -> Ints:
    """A number per building, equal for buildings of one premises."""
    kind, block = parcels.kind[buildings.parcel], parcels.block[buildings.parcel]
    own = np.arange(len(kind)) + 10**12
    estate = np.isin(kind, [ORDINAL[name] for name in _ESTATES]) & (buildings.side < 0)
    grounds = np.isin(kind, [ORDINAL[name] for name in ("school", "hospital", "government", "temple", "university")])
    result: Ints = np.where(estate, block * len(NAMES) + kind, np.where(grounds, buildings.parcel + 10**10, own))
    return result


def _fronts(parcels: Parcels, buildings: Buildings, first: Ints, blocks: int) -> tuple[Ints, Ints, Ints]:
    """Parcel and side by which each premises is entered, and the road there.

    A parcel without a named road is entered through another one of its block.
    """
    named = (parcels.name >= 0) & (parcels.road > TRUNK)
    weight = np.where(named, parcels.road, 99)
    best = weight.argmin(axis=1)
    front = np.where(weight.min(axis=1) < 99, parcels.name[np.arange(len(best)), best], -1)
    entrance = np.full(blocks, -1)
    with_front = np.flatnonzero(front >= 0)
    np.maximum.at(entrance, parcels.block[with_front], with_front)
    parcel, shop = buildings.parcel[first], buildings.side[first]
    other = entrance[parcels.block[parcel]]
    via = np.where((front[parcel] < 0) & (other >= 0), other, parcel)
    side = np.where(shop >= 0, shop, best[via])
    via = np.where(shop >= 0, parcel, via)
    road = np.where(shop >= 0, parcels.name[parcel, np.maximum(shop, 0)], front[via])
    return via, side, np.where(parcels.kind[parcel] == ORDINAL["village"], -1, road)


def _count_within(group: Ints) -> Ints:
    """1, 2, 3 … within each group, in order."""
    order = np.argsort(group, kind="stable")
    result = np.empty(len(group), np.int64)
    result[order] = np.arange(len(group)) - np.searchsorted(group[order], group[order]) + 1
    return result


def _numbers(road: Ints, along: Ints, chain: Floats) -> Ints:
    """Odd and even numbers rising with ``chain`` on the two sides of each road."""
    order = np.lexsort((chain, along, road))
    group = road[order] * 2 + (along[order] > 0)
    new = np.concatenate([[True], group[1:] != group[:-1]])
    start = np.maximum.accumulate(np.where(new, np.arange(len(group)), 0))
    result = np.empty(len(road), np.int64)
    result[order] = 2 * (np.arange(len(group)) - start) + np.where(along[order] > 0, 1, 2)
    return result


def _places(kind: Ints, block: Ints, road: Ints, single: Flags, label: Ints, book: NameBook) -> list[str]:
    """Names of estates, institutions and villages."""
    villages: dict[int, str] = {}
    result = []
    for k, b, r, alone, mark in zip(kind.tolist(), block.tolist(), road.tolist(), single.tolist(), label.tolist(),
                                    strict=True):
        name = NAMES[k]
        if r < 0:
            if b not in villages:
                villages[b] = book.village()
            result.append(villages[b])
        elif name in _ESTATES and not alone:
            endings = _SUFFIXES[_ESTATES[name]]
            result.append(book.pair("estate") + endings[b % len(endings)])
        elif name == "school":
            result.append(book.pair("school") + ("小学", "中学", "实验小学", "实验学校")[b % 4])
        elif name == "hospital":
            result.append(book.pair("hospital") + ("医院", "中心医院", "中医院", "妇幼保健院")[b % 4])
        elif name == "government":
            result.append(_OFFICES[b % len(_OFFICES)])
        elif name == "temple":
            result.append(book.pair("temple") + "寺")
        elif mark and LABELS[mark]:
            result.append(book.pair("estate") + LABELS[mark])
        else:
            result.append("")
    return result




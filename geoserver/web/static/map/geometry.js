/** Boxes of GeoJSON geometries, and places written as coordinates. */

/** [west, south, east, north] of geometries, or null when none has a coordinate. */
export function boundsOf(geometries) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  const visit = (node) => {
    if (typeof node[0] === "number") {
      box[0] = Math.min(box[0], node[0]);
      box[1] = Math.min(box[1], node[1]);
      box[2] = Math.max(box[2], node[0]);
      box[3] = Math.max(box[3], node[1]);
    } else node.forEach(visit);
  };
  for (const geometry of geometries) {
    if (geometry?.coordinates) visit(geometry.coordinates);
    else if (geometry?.geometries) geometry.geometries.forEach((part) => visit(part.coordinates));
  }
  return Number.isFinite(box[0]) ? box : null;
}

/** Longitude and latitude [degrees] read from text such as `114.9,30.4`, `30.4N 114.9E`, `北纬30.4 东经114.9`; or null. */
export function parseCoordinates(text) {
  const plain = text
    .normalize("NFKC")
    .replace(/[,;、\s]+/g, " ")
    .replace(/°/g, "")
    .trim();
  const match = /^([NEWS北东西南]?[纬经]?)\s*([-+]?\d{1,3}(?:\.\d+)?)\s*([NEWS]?)\s([NEWS北东西南]?[纬经]?)\s*([-+]?\d{1,3}(?:\.\d+)?)\s*([NEWS]?)$/i.exec(plain);
  if (!match) return null;
  const [, before1, value1, after1, before2, value2, after2] = match;
  const first = axis(before1 || after1, Number(value1));
  const second = axis(before2 || after2, Number(value2));
  const latitudeFirst = first.kind === "lat" || second.kind === "lon" || (!first.kind && !second.kind && Math.abs(second.value) > 90);
  const [lng, lat] = latitudeFirst ? [second.value, first.value] : [first.value, second.value];
  return Math.abs(lng) <= 180 && Math.abs(lat) <= 85 ? { lng, lat } : null;
}

function axis(mark, value) {
  const sign = /[SW西南]/i.test(mark) ? -1 : 1;
  const kind = /[NS北南]/i.test(mark) ? "lat" : /[EW东西]/i.test(mark) ? "lon" : null;
  return { kind, value: sign * value };
}

/** How people begin coordinates of another system: `GCJ-02 114.9,30.4`, `EPSG:4526 38586400,3364700`. */
const SYSTEM = /^(epsg:\d{4,6}|gcj-?02|bd-?09|wgs-?84|cgcs2000|西安80|xian80|北京54|beijing54)[\s:：,，]+/i;

/**
 * Coordinates of another system read from text: `{source, point: [east, north]}`, or null. Survey coordinates without a system are of the
 * 3° zone that their first digits name, or of the zone of `lng` [degrees]; the northing has seven digits, whichever comes first.
 */
export function parseSurveyed(text, lng) {
  const plain = text.normalize("NFKC").trim();
  const named = SYSTEM.exec(plain)?.[1] ?? null;
  const values = (named ? plain.slice(SYSTEM.exec(plain)[0].length) : plain).split(/[,;、\s]+/).filter(Boolean);
  if (values.length !== 2 || !values.every((value) => /^-?\d+(\.\d+)?$/.test(value))) return null;
  const [first, second] = values.map(Number);
  const isNorthing = (value) => value >= 1_000_000 && value < 10_000_000;
  if (!isNorthing(first) && !isNorthing(second)) return named && !/^epsg/i.test(named) ? { source: named, point: [first, second] } : null;
  const [east, north] = isNorthing(second) ? [first, second] : [second, first];
  const zone = Math.floor(east / 1_000_000);
  if (zone >= 25 && zone <= 45) return { source: named ?? `EPSG:${ZONED + zone - 25}`, point: [east, north] };
  if (zone !== 0 || east < 100_000) return null;
  return { source: named ?? `EPSG:${UNZONED + Math.round(lng / 3) - 25}`, point: [east, north] };
}

/** CGCS2000 / 3-degree Gauss-Kruger: zone 25 with its number before the easting, and the same (CM 75E) without. */
const [ZONED, UNZONED] = [4513, 4534];

/** `114.90000°E 30.40000°N` */
export function formatPosition({ lng, lat }) {
  const part = (value, positive, negative) => `${Math.abs(value).toFixed(5)}°${value < 0 ? negative : positive}`;
  return `${part(lng, "E", "W")} ${part(lat, "N", "S")}`;
}

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

/** `114.90000°E 30.40000°N` */
export function formatPosition({ lng, lat }) {
  const part = (value, positive, negative) => `${Math.abs(value).toFixed(5)}°${value < 0 ? negative : positive}`;
  return `${part(lng, "E", "W")} ${part(lat, "N", "S")}`;
}

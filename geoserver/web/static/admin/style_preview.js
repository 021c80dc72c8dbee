/** The MapLibre layers of a simple style, as the server makes them (layers/stewardship/simple_style.py). */

export function mapLayers(kind, { color, outline, opacity, width, by, classes, label }) {
  const colour = by && classes.length ? ["match", ["to-string", ["get", by]], ...classes.flatMap((one) => [one.value, one.color]), color] : color;
  const every = kind === "Geometry";
  const part = (type, geometry, paint) => ({ type, filter: ["==", ["geometry-type"], geometry], paint });
  const parts = [];
  if (every || kind.endsWith("Polygon")) {
    parts.push(part("fill", "Polygon", { "fill-color": colour, "fill-opacity": opacity }), part("line", "Polygon", { "line-color": outline ?? colour, "line-width": width }));
  }
  if (every || kind.endsWith("LineString")) parts.push(part("line", "LineString", { "line-color": colour, "line-width": width }));
  if (every || kind.endsWith("Point")) {
    parts.push(part("circle", "Point", { "circle-color": colour, "circle-radius": 2 + width * 2, "circle-stroke-color": outline ?? "#ffffff", "circle-stroke-width": 1 }));
  }
  if (label) {
    parts.push({
      type: "symbol", layout: { "text-field": ["to-string", ["get", label]], "text-font": ["CityMap Regular", "Noto Sans CJK SC"], "text-size": 12 },
      paint: { "text-color": "#17222d", "text-halo-color": "#ffffff", "text-halo-width": 1.4 },
    });
  }
  return parts;
}

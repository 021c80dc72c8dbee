/** The page's state in the address: `#map=…&on=a&off=b&fade=c:0.4&d3=1&at=layer/id`. MapLibre keeps `map` itself. */

export function readLink() {
  const values = new URLSearchParams(location.hash.slice(1));
  const list = (key) => (values.get(key) ?? "").split(",").filter(Boolean).map(decodeURIComponent);
  const fades = list("fade").map((part) => part.split(":"));
  return {
    hasView: values.has("map"),
    on: list("on"),
    off: list("off"),
    fade: Object.fromEntries(fades.map(([id, opacity]) => [id, clamp(Number(opacity))])),
    threeD: values.get("d3") === "1",
    at: values.get("at"),
  };
}

export function writeLink({ layers, threeD, selected }) {
  const ids = (some) => some.map((layer) => encodeURIComponent(layer.id)).join(",");
  const entries = {
    on: ids(layers.filter((layer) => layer.visible && !layer.initial)),
    off: ids(layers.filter((layer) => !layer.visible && layer.initial)),
    fade: layers
      .filter((layer) => layer.opacity < 1)
      .map((layer) => `${encodeURIComponent(layer.id)}:${layer.opacity}`)
      .join(","),
    d3: threeD ? "1" : "",
    at: selected ? `${encodeURIComponent(selected.layer)}/${encodeURIComponent(selected.id)}` : "",
  };
  // Kept by hand: MapLibre writes `map=` with bare slashes, which URLSearchParams would escape.
  const kept = location.hash.slice(1).split("&").filter((part) => part && !(part.split("=")[0] in entries));
  const own = Object.entries(entries).filter(([, value]) => value).map(([key, value]) => `${key}=${value}`);
  const hash = [...kept, ...own].join("&");
  history.replaceState(history.state, "", hash ? `#${hash}` : location.pathname + location.search);
}

function clamp(opacity) {
  return Number.isFinite(opacity) ? Math.min(1, Math.max(0, opacity)) : 1;
}

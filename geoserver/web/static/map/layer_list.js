/** The layers as the reader orders, searches and groups them. */

/** Groups from the top of the list down; what a city adds itself is thematic. */
export const GROUPS = ["thematic", "grid", "planning", "tracking", "pipes", "network", "relief", "elsewhere", "base"];

/** Layers whose title, pinyin, initials or id has all the words. */
export function matching(layers, words) {
  const wanted = words.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
  return layers.filter((layer) => {
    const text = `${layer.title} ${layer.pinyin ?? ""} ${layer.id} ${layer.description}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

/** `[group, members]` for the groups that have members. */
export function grouped(layers) {
  return GROUPS.map((group) => [group, layers.filter((layer) => layer.group === group)]).filter(([, members]) => members.length > 0);
}

/** What lies over the base map and is switched on, from the top down. */
export const shownAbove = (layers) => layers.filter((layer) => layer.visible && layer.group !== "base");

/** The list with one shown layer exchanged with the shown one above (`step` -1) or below (1) it; null where there is none. */
export function moved(layers, id, step) {
  const shown = shownAbove(layers);
  const at = shown.findIndex((layer) => layer.id === id);
  const other = shown[at + step];
  if (at < 0 || !other) return null;
  const [one, two] = [layers.indexOf(shown[at]), layers.indexOf(other)];
  return layers.map((layer, n) => (n === one ? other : n === two ? shown[at] : layer));
}

/** The list with the layers of `ids`, where it has them, standing in that order on the places that they have together. */
export function arranged(layers, ids) {
  const wanted = ids.map((id) => layers.find((layer) => layer.id === id)).filter((layer) => layer && layer.group !== "base");
  const places = wanted.map((layer) => layers.indexOf(layer)).sort((a, b) => a - b);
  const result = [...layers];
  places.forEach((place, n) => (result[place] = wanted[n]));
  return result;
}

/** Whether a layer can be drawn as of a span of its own time. */
export const hasTime = (layer) => layer.timed || (layer.kind === "coverage" && ["imagery", "drg", "land-cover"].includes(layer.id));

/** The page's state in the address: the view, the vehicle, the panel, what is searched for, and a replay. */

const PANELS = ["alarms", "send", "tasks", "fences", "replay", "ground"];
const PLACE = /^(\d{1,2}(?:\.\d+)?)\/(-?\d{1,2}(?:\.\d+)?)\/(-?\d{1,3}(?:\.\d+)?)$/;

const read = () => new URLSearchParams(location.hash.slice(1));

/** The part of the state that the address tells. */
export function linked() {
  const told = read();
  const names = (key) => (told.get(key) ?? "").split(",").filter(Boolean);
  const found = {
    find: { words: told.get("find") ?? "", states: new Set(names("state")), kind: told.get("kind") ?? "", department: told.get("department") ?? "" },
  };
  if (told.get("unit")) found.chosen = told.get("unit");
  if (PANELS.includes(told.get("panel"))) found.panel = told.get("panel");
  const [begin, end] = [told.get("from"), told.get("to")].map((text) => Date.parse(text ?? ""));
  if (names("replay").length > 0 && begin < end) {
    found.panel = "replay";
    found.asked = { devices: names("replay"), begin, end, at: Date.parse(told.get("at") ?? "") || begin };
  }
  return found;
}

/** The view that the address tells, as MapLibre takes it; null for none. */
export function linkedView() {
  const [, zoom, lat, lng] = PLACE.exec(read().get("map") ?? "") ?? [];
  return zoom === undefined ? null : { zoom: Number(zoom), center: [Number(lng), Number(lat)] };
}

/** Write the state into the address; `view` is {zoom, lat, lng}, or null to leave what is there. */
export function keep(state, view) {
  const kept = new URLSearchParams();
  const put = (key, value) => value && kept.set(key, value);
  put("map", view ? `${view.zoom.toFixed(2)}/${view.lat.toFixed(5)}/${view.lng.toFixed(5)}` : read().get("map"));
  put("unit", state.chosen);
  put("panel", state.panel === "alarms" ? "" : state.panel);
  put("find", state.find.words);
  put("state", [...state.find.states].join(","));
  put("kind", state.find.kind);
  put("department", state.find.department);
  if (state.replay?.data) {
    const { devices, begin, end } = state.replay;
    put("replay", devices.join(","));
    put("from", new Date(begin).toISOString());
    put("to", new Date(end).toISOString());
  }
  const text = kept.toString().replaceAll("%2F", "/").replaceAll("%2C", ",").replaceAll("%3A", ":");
  history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}

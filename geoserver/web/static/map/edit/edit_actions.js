/** Making, changing and deleting features, where the person may. */

import { ApiError, getWhole, send } from "../api.js";
import { schemaOf } from "../describe.js";
import { t } from "../i18n.js";
import { asText, asValue, filledFields } from "./form.js";
import { caughtLayers, sidesIn } from "./snapping.js";

const items = (layer) => `collections/${encodeURIComponent(layer)}/items`;
const item = (layer, id) => `${items(layer)}/${encodeURIComponent(id)}`;

export function editActions(city) {
  const { store } = city;
  let sketch = null;
  let sides = [];
  let asking;
  let follow;
  let attempt = null;

  const set = (patch) => store.get().edit && store.set({ edit: { ...store.get().edit, ...patch } });
  const showDrawn = () => set({ parts: sketch?.parts().length ?? 0, corners: sketch?.corners() ?? 0, undo: sketch?.canUndo() ?? false, redo: sketch?.canRedo() ?? false });
  const changed = () => {
    set({ reshaped: true });
    showDrawn();
  };

  async function readSides() {
    asking?.abort();
    asking = new AbortController();
    const { layer, id } = store.get().edit;
    const box = city.map.getBounds().toArray().flat().map((value) => value.toFixed(6));
    sides = await sidesIn(caughtLayers(store.get().layers, layer, city.map.getZoom()), box, `${layer}/${id}`, asking.signal);
  }

  async function openOn(kind, parts) {
    const { openSketch } = await import("./sketch.js");
    if (!store.get().edit) return;
    try {
      sketch = openSketch(city.map, { kind, parts, sides: () => sides, onChange: changed });
    } catch {
      return set({ kind, fixed: t("edit.fixed") });
    }
    set({ kind });
    showDrawn();
    follow = city.map.on("moveend", readSides);
    readSides();
  }

  function closeSketch() {
    asking?.abort();
    follow?.unsubscribe();
    sketch?.close();
    [sketch, follow, sides] = [null, null, []];
  }

  /** The geometry that is sent: several parts are a Multi geometry. */
  function geometry() {
    const { layer, kind } = store.get().edit;
    const parts = sketch?.parts() ?? [];
    if (!parts.length) return null;
    const multi = city.layer(layer).geometry.startsWith("Multi") || parts.length > 1;
    return multi ? { type: `Multi${kind}`, coordinates: parts } : { type: kind, coordinates: parts[0] };
  }

  function open(layer, feature, etag) {
    city.actions.closeMeasure();
    if (store.get().time) city.actions.closeTime();
    if (!city.layer(layer).visible) city.actions.showLayer(layer, true);
    closeSketch();
    attempt = null;
    store.set({ results: null, selected: null, edit: { layer, id: feature?.id ?? null, etag, before: feature?.properties ?? {}, values: {}, kind: null, parts: 0, corners: 0 } });
    city.actions.highlight(null);
    schemaOf(layer).then((schema) => set({ schema }), (error) => set({ error }));
  }

  async function body() {
    const { before, values, schema, id, reshaped } = store.get().edit;
    const given = Object.fromEntries(filledFields(schema).flatMap(([name, property]) => (name in values ? [[name, asValue(values[name], property)]] : [])));
    const wrong = Object.entries(given).find(([, value]) => Number.isNaN(value));
    if (wrong) throw new ApiError(t("edit.number", { field: schema.properties[wrong[0]].title ?? wrong[0] }), "");
    const properties = Object.fromEntries(Object.entries(given).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name] ?? null)));
    const shape = id === null || reshaped ? { geometry: geometry() } : {};
    if ("geometry" in shape && !shape.geometry) throw new ApiError(t("edit.shapeless"), "");
    return { type: "Feature", ...shape, properties };
  }

  const actions = {
    createFeature(layer) {
      open(layer, null, null);
      const { geometry: type } = city.layer(layer);
      if (type !== "Geometry") openOn(type.replace("Multi", ""), []);
    },
    /** For a layer that takes any shape. */
    chooseKind: (kind) => openOn(kind, []),
    async editFeature(layer, id) {
      try {
        const { value: feature, etag } = await getWhole(item(layer, id), { f: "json" });
        open(layer, feature, etag);
        const type = feature.geometry?.type ?? city.layer(layer).geometry;
        const parts = !feature.geometry ? [] : type.startsWith("Multi") ? feature.geometry.coordinates : [feature.geometry.coordinates];
        openOn(type.replace("Multi", ""), parts);
      } catch (error) {
        city.say(error.message);
      }
    },
    setValue: (name, text) => set({ values: { ...store.get().edit.values, [name]: text } }),
    addPart: () => sketch.begin(!city.layer(store.get().edit.layer).geometry.startsWith("Multi")),
    addCorner: () => sketch.corner(city.map.getCenter().wrap()),
    undoShape() {
      sketch.undo();
      changed();
    },
    redoShape() {
      sketch.redo();
      changed();
    },
    async saveEdit() {
      const { layer, id, etag } = store.get().edit;
      set({ saving: true, error: null });
      try {
        const sent = await body();
        // The same content sent again, after a line that broke, is made once only.
        const content = JSON.stringify(sent);
        if (attempt?.content !== content) attempt = { content, key: randomKey() };
        const headers = { "Idempotency-Key": attempt.key, ...(etag ? { "If-Match": etag } : {}) };
        const type = id === null ? "application/geo+json" : "application/merge-patch+json";
        const response = await send(id === null ? "POST" : "PATCH", id === null ? items(layer) : item(layer, id), sent, { type, headers });
        const made = id ?? decodeURIComponent(response.headers.get("location").split("/").at(-1));
        actions.closeEdit();
        city.say(t("edit.saved"));
        city.actions.openLinked(`${encodeURIComponent(layer)}/${encodeURIComponent(made)}`);
      } catch (error) {
        set({ saving: false, error });
      }
    },
    askDelete: (asked) => set({ deleting: asked }),
    async deleteFeature() {
      const { layer, id, etag } = store.get().edit;
      set({ saving: true, error: null });
      try {
        await send("DELETE", item(layer, id), undefined, { headers: etag ? { "If-Match": etag } : {} });
        actions.closeEdit();
        city.say(t("edit.deleted"));
      } catch (error) {
        set({ saving: false, deleting: false, error });
      }
    },
    closeEdit() {
      closeSketch();
      if (store.get().edit) store.set({ edit: null });
      city.map.getCanvas().focus();
    },
    /** What the person may do with a feature, or with a layer where `id` is missing: the methods allowed. */
    async allowed(layer, id = undefined) {
      const response = await send("OPTIONS", id === undefined ? items(layer) : item(layer, id)).catch(() => null);
      return (response?.headers.get("allow") ?? "").split(/,\s*/);
    },
  };
  addEventListener("beforeunload", (event) => {
    const { edit } = store.get();
    if (edit && (edit.reshaped || Object.keys(edit.values).length)) event.preventDefault();
  });
  return actions;
}

/** The text that the form shows for a field. */
export const shown = (edit, name, property) => edit.values[name] ?? asText(edit.before[name], property);

const randomKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

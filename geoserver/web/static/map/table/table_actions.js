/** The attribute table of a layer: its rows by pages, sorted, filtered, of all or of what is in view. */

import { base, getJson } from "../api.js";
import { compose } from "../style.js";

const PAGE = 50;
const MOST = 2000;

export function tableActions(city) {
  const { store } = city;
  let asking;
  let follow = null;

  const path = (layer) => `collections/${encodeURIComponent(layer)}/items`;
  const set = (patch) => store.get().table && store.set({ table: { ...store.get().table, ...patch } });

  /** Parameters of what the table shows. */
  const query = ({ filter, within, sort }) => ({
    ...(filter ? { filter, "filter-lang": "cql2-text" } : {}),
    ...(within ? { bbox: boxInView(city.map) } : {}),
    ...(sort ? { sortby: (sort.down ? "-" : "") + sort.field } : {}),
    ...(store.get().asOf ? { "as-of": store.get().asOf } : {}),
  });

  async function load() {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const { table } = store.get();
    set({ loading: true, error: null });
    const asked = query(table);
    const { sortby, ...counted } = asked;
    try {
      const [page, count] = await Promise.all([
        getJson(path(table.layer), { f: "json", limit: PAGE, skipGeometry: "true", ...asked }, signal),
        getJson(path(table.layer), { f: "json", resulttype: "hits", ...counted }, signal),
      ]);
      set({ rows: page.features, next: nextOf(page), count: count.numberMatched, loading: false });
    } catch (error) {
      if (error.name !== "AbortError") set({ error, loading: false, rows: [], next: null, count: null });
    }
  }

  async function more() {
    const { table } = store.get();
    if (!table?.next || table.loading || table.rows.length >= MOST) return;
    const { signal } = asking;
    set({ loading: true });
    try {
      const page = await getJson(table.next, {}, signal);
      set({ rows: [...table.rows, ...page.features], next: nextOf(page), loading: false });
    } catch (error) {
      if (error.name !== "AbortError") set({ error, loading: false });
    }
  }

  /** Show on the map what the filter finds. */
  function mark() {
    const { table, hits } = store.get();
    const wanted = table?.filter ? { layer: table.layer, filter: table.filter } : null;
    if (JSON.stringify(wanted) === JSON.stringify(hits)) return;
    store.set({ hits: wanted });
    // A source of the same name cannot change what it asks for by a new style.
    if (wanted && hits?.layer === wanted.layer) city.map.getSource("hits").setTiles(compose(city.style, store.get()).sources.hits.tiles);
    else {
      if (wanted && hits) {
        store.set({ hits: null });
        city.restyle();
        store.set({ hits: wanted });
      }
      city.restyle();
    }
  }

  const onMove = () => store.get().table?.within && load();

  return {
    openTable(layer, filter = "") {
      document.documentElement.dataset.drawer = "open";
      city.change({ table: { layer, filter, within: false, sort: null, rows: [], next: null, count: null, loading: true, error: null, building: Boolean(filter) } });
      if (innerWidth < 720) store.set({ panel: false });
      if (!follow) follow = city.map.on("moveend", onMove);
      mark();
      load();
    },
    closeTable() {
      asking?.abort();
      follow?.unsubscribe();
      follow = null;
      delete document.documentElement.dataset.drawer;
      city.change({ table: null });
      mark();
      city.map.getCanvas().focus();
    },
    filterTable(filter) {
      set({ filter });
      city.change({});
      mark();
      load();
    },
    sortTable(field) {
      const { sort } = store.get().table;
      set({ sort: sort?.field !== field ? { field, down: false } : sort.down ? null : { field, down: true } });
      load();
    },
    withinView(within) {
      set({ within });
      load();
    },
    buildFilter: (building) => set({ building }),
    reloadTable: load,
    moreRows: more,
    /** How many features a filter finds. */
    countOf: (layer, filter, signal) =>
      getJson(path(layer), { f: "json", resulttype: "hits", filter, "filter-lang": "cql2-text" }, signal).then((answer) => answer.numberMatched),
    async pickRow(layer, feature) {
      const { title_field: titled } = city.layer(layer);
      const whole = await getJson(`${path(layer)}/${encodeURIComponent(feature.id)}`, { f: "json" }).catch(() => null);
      const geometries = whole?.geometry ? [whole.geometry] : [];
      city.actions.pick({ key: `${layer}/${feature.id}`, layer, id: feature.id, title: feature.properties[titled], geometries });
    },
    /** The address of what the table shows, in a format. */
    tableAddress(format) {
      const { table } = store.get();
      const url = new URL(path(table.layer), base);
      for (const [name, value] of Object.entries({ f: format, ...query(table) })) url.searchParams.set(name, value);
      return url.href;
    },
  };
}

/** West, south, east, north [degrees] of the view. */
function boxInView(map) {
  const [[west, south], [east, north]] = map.getBounds().toArray();
  return [Math.max(west, -180), Math.max(south, -90), Math.min(east, 180), Math.min(north, 90)].map((value) => value.toFixed(6)).join(",");
}

/** The path of the next page, below the server's base: links carry the server's own idea of its address. */
function nextOf(page) {
  const link = page.links?.find((one) => one.rel === "next");
  if (!link) return null;
  const { pathname, search } = new URL(link.href);
  return pathname.slice(pathname.indexOf("/collections/") + 1) + search;
}

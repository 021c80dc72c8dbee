/** What the chosen number counts: on the map, and the same as a list; the next click is the case itself. */

import { useEffect, useRef } from "preact/hooks";
import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { base } from "../work/api.js";
import { icon } from "../work/icons.js";
import { openMap } from "../work/map_view.js";
import { Trouble } from "../work/trouble.js";
import { listAddress } from "./data.js";
import { boxOf, show } from "./points.js";
import { actions } from "./state.js";
import { count, moment, titleOf } from "./words.js";

/** Light → sign and grade: never colour alone. */
const LIGHTS = { red: ["stop", "bad"], amber: ["alert", "wait"], green: ["check", "good"] };
const LISTED = 200;

/** Where a feature is told in full: a case in the inbox, anything else on its page. */
const addressOf = (collection, { id, properties }) =>
  new URL(collection === "cases" && properties.code ? `cases#case=${encodeURIComponent(properties.code)}` : `collections/${collection}/items/${id}`, base).href;

export function Counted({ chosen, counted, words, theme }) {
  const heading = useRef(null);
  useEffect(() => {
    if (chosen && !matchMedia("(min-width: 1000px)").matches) heading.current?.scrollIntoView({ block: "start" });
  }, [chosen?.key]);
  if (!chosen) return html`<section class="card counted idle" aria-labelledby="counted-title"><h2 id="counted-title" class="soft">${t("counted.none")}</h2></section>`;
  const title = chosen.title ?? t(chosen.key);
  return html`
    <section class="card counted" aria-labelledby="counted-title">
      <header ref=${heading}>
        <h2 id="counted-title">${title}</h2>
        <p class="soft" role="status">${counted ? told(counted) : t("loading")}</p>
        <a href=${listAddress(chosen)}>${t("counted.table")}</a>
      </header>
      ${counted?.trouble && html`<${Trouble} error=${counted.trouble} onRetry=${() => actions.choose(chosen)} />`}
      <div class="counted-body">
        <${Places} key=${theme} collection=${chosen.collection} counted=${counted} label=${t("counted.map", { title })} />
        ${counted && html`<${List} collection=${chosen.collection} features=${counted.features} words=${words} title=${title} />`}
      </div>
    </section>
  `;
}

function told({ features, matched }) {
  return features.length < matched ? t("counted.some", { shown: count(features.length), matched: count(matched) }) : t("counted.all", { matched: count(matched) });
}

function List({ collection, features, words, title }) {
  if (features.length === 0) return html`<p class="list empty">${t("counted.empty")}</p>`;
  return html`
    <ol class="list" aria-label=${title} tabindex="0">
      ${features.slice(0, LISTED).map((feature) => {
        const p = feature.properties;
        return html`<li key=${feature.id}><a class="case" href=${addressOf(collection, feature)} data-id=${feature.id}>
          <strong>${titleOf(feature)}</strong>
          <span class="facts">
            ${p.light && html`<span class=${`chip ${LIGHTS[p.light]?.[1] ?? ""}`}>${icon(LIGHTS[p.light]?.[0] ?? "clock")}${words.light?.[p.light] ?? p.light}</span>`}
            ${collection === "cases" && p.state && html`<span class="chip">${words.state?.[p.state] ?? p.state}</span>`}
            <span class="soft">${p.deadline ? t("counted.due", { when: moment(p.deadline) }) : moment(p.reported_at ?? p.began ?? p.assigned ?? p.visited_at)}</span>
          </span>
          ${p.place && html`<span class="soft small">${p.place}</span>`}
        </a></li>`;
      })}
      ${features.length > LISTED && html`<li class="soft small">${t("counted.rest", { rest: count(features.length - LISTED) })}</li>`}
    </ol>
  `;
}

/** The map, made when there is first something to show. */
function Places({ collection, counted, label }) {
  const place = useRef(null);
  const map = useRef(null);
  useEffect(() => {
    let gone = false;
    const box = boxOf(counted?.features ?? []);
    map.current = openMap(place.current, box ? { bounds: box, fitBoundsOptions: { padding: 48, maxZoom: 16 } } : {}, label).then(async (made) => {
      if (made && gone) made.remove();
      if (!made) place.current?.replaceChildren(Object.assign(document.createElement("p"), { className: "empty", textContent: t("counted.webgl") }));
      if (made && !made.loaded()) await new Promise((resolve) => made.once("load", resolve));
      return gone ? null : made;
    });
    return () => {
      gone = true;
      map.current.then((made) => made?.remove());
    };
  }, []);
  useEffect(() => {
    if (counted) map.current.then((made) => made && show(made, counted, (feature) => location.assign(addressOf(collection, feature))));
  }, [counted, collection]);
  return html`<div class="places" ref=${place}></div>`;
}

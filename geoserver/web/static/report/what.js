/** Step 2: what. A class, some words, photos. */

import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { icon } from "../work/icons.js";
import { Trouble } from "../work/trouble.js";
import { shrunk } from "./photos.js";
import { grouped } from "./services.js";
import { actions, store } from "./state.js";

const MOST_PHOTOS = { account: 6, public: 3 };
const MOST_WORDS = 1000;

export function What({ state }) {
  const { report } = state;
  return html`
    <section aria-labelledby="what-head" class="stack">
      <h2 id="what-head">${t("what.head")}</h2>
      ${report.service ? html`<${Chosen} service=${report.service} />` : html`<${Picker} state=${state} />`}
      <${Photos} state=${state} />
      <label class="field"><span>${t("what.words")}</span>
        <textarea maxlength=${MOST_WORDS} rows="3" placeholder=${t("what.words.hint")} value=${report.description}
          onInput=${(event) => actions.change({ description: event.target.value })}></textarea>
      </label>
      <div class="both">
        <button type="button" class="button" onClick=${() => actions.go(1)}>${icon("back")}${t("back")}</button>
        <button type="button" class="button main" disabled=${!report.service} onClick=${() => actions.go(3)}>${t("next")}${icon("forward")}</button>
      </div>
    </section>
  `;
}

const Chosen = ({ service }) => html`
  <div class="chosen">
    <span><span class="small soft">${service.group}</span><strong>${service.name}</strong></span>
    <button type="button" class="button quiet" onClick=${() => actions.change({ service: null })}>${t("what.change")}</button>
  </div>
`;

function Picker({ state }) {
  const [words, setWords] = useState("");
  const [fresh] = useState(state.favourites.starred.length + state.favourites.recent.length === 0);
  if (state.servicesTrouble && !state.services) return html`<${Trouble} error=${state.servicesTrouble} onRetry=${actions.loadServices} />`;
  if (!state.services) return html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i></div>`;
  const { starred, recent } = state.favourites;
  const byId = new Map(state.services.map((one) => [one.id, one]));
  const near = [...new Set([...starred, ...recent])].map((id) => byId.get(id)).filter(Boolean);
  const groups = grouped(state.services, words);
  return html`
    <div class="picker">
      <label class="find">${icon("search")}<span class="hidden-text">${t("what.find")}</span>
        <input class="search-field" type="search" placeholder=${t("what.find")} value=${words} onInput=${(event) => setWords(event.target.value)} />
      </label>
      ${!words && near.length > 0 && html`<h3>${t("what.near")}</h3><ul class="classes">${near.map((one) => html`<${Class} service=${one} starred=${starred.includes(one.id)} key=${one.id} />`)}</ul>`}
      ${groups.length === 0 && html`<p class="soft">${t("what.none", { words })}</p>`}
      ${groups.map(([name, services], n) => html`
        <details key=${name} open=${Boolean(words) || (n === 0 && fresh)}>
          <summary><span>${name || t("what.other")}</span><span class="soft number">${services.length}</span></summary>
          <ul class="classes">${services.map((one) => html`<${Class} service=${one} starred=${starred.includes(one.id)} key=${one.id} />`)}</ul>
        </details>`)}
    </div>
  `;
}

const Class = ({ service, starred }) => html`
  <li>
    <button type="button" class="class" data-class=${service.id} onClick=${() => actions.change({ service })}>${service.name}</button>
    <button type="button" class="star" aria-pressed=${String(starred)} aria-label=${t("what.star", { name: service.name })} onClick=${() => actions.star(service.id)}>${icon("star")}</button>
  </li>
`;

function Photos({ state }) {
  const { report, account } = state;
  const [busy, setBusy] = useState(0);
  const [trouble, setTrouble] = useState(null);
  const most = account ? MOST_PHOTOS.account : MOST_PHOTOS.public;
  const room = most - report.photos.length;
  const add = async (event) => {
    const files = [...event.target.files].slice(0, room);
    event.target.value = "";
    setTrouble(null);
    setBusy(files.length);
    for (const file of files) {
      try {
        const photo = await shrunk(file);
        await actions.change({ photos: [...store.get().report.photos, photo] });
      } catch {
        setTrouble({ cause: t("photo.unreadable", { name: file.name }), cure: t("photo.unreadable.cure") });
      }
    }
    setBusy(0);
  };
  const remove = (id) => actions.change({ photos: report.photos.filter((photo) => photo.id !== id) });
  return html`
    <fieldset class="field">
      <legend>${t("photo.head")} <span class="soft small">${t("photo.room", { n: report.photos.length, most })}</span></legend>
      <ul class="photos">
        ${report.photos.map((photo, n) => html`<li key=${photo.id}><${Thumb} photo=${photo} alt=${t("photo.alt", { n: n + 1 })} />
          <button type="button" class="button round remove" aria-label=${t("photo.remove", { n: n + 1 })} onClick=${() => remove(photo.id)}>${icon("close")}</button></li>`)}
        ${busy > 0 && html`<li class="waiting" role="status">${t("photo.shrinking")}</li>`}
        ${room > 0 && html`<li><label class="add">${icon("camera")}<span>${t("photo.add")}</span>
          <input type="file" accept="image/*" multiple onChange=${add} /></label></li>`}
      </ul>
      ${trouble && html`<${Trouble} error=${trouble} />`}
    </fieldset>
  `;
}

/** A photo that is on the phone. */
export function Thumb({ photo, alt }) {
  const [url, setUrl] = useState(null);
  const last = useRef(null);
  useEffect(() => {
    if (!photo.blob) return undefined;
    last.current = URL.createObjectURL(photo.blob);
    setUrl(last.current);
    return () => URL.revokeObjectURL(last.current);
  }, [photo.id]);
  return url && html`<img src=${url} alt=${alt} width="96" height="96" />`;
}

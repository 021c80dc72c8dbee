/** The search box: a combobox whose list holds what was found. */

import { useEffect, useRef, useState } from "preact/hooks";

import { formatPosition } from "./geometry.js";
import { html, icon, iconButton } from "./html.js";
import { t } from "./i18n.js";
import { Trouble } from "./results_panel.js";
import { search } from "./search.js";

const PAUSE = 250;

export function SearchBox({ layers, actions }) {
  const [text, setText] = useState("");
  const [answer, setAnswer] = useState(null);
  const [active, setActive] = useState(-1);
  const [attempt, setAttempt] = useState(0);
  const input = useRef(null);
  useFocusKey(input);

  useEffect(() => {
    setActive(-1);
    if (!text.trim()) return setAnswer(null);
    const abort = new AbortController();
    const timer = setTimeout(() => {
      setAnswer({ loading: true });
      search(text, layers, actions.centre().lng, abort.signal).then(setAnswer, (error) => error.name === "AbortError" || setAnswer({ hits: [], failures: [error] }));
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, attempt]);

  const options = answer?.loading || !answer ? [] : answer.place ? [{ place: answer.place }] : answer.hits;
  const pick = (option) => {
    setAnswer(null);
    input.current.blur();
    if (option.place) actions.goTo(option.place);
    else actions.pick(option);
  };
  const onKeyDown = (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (options.length) setActive((active + step + options.length) % options.length);
    } else if (event.key === "Enter" && options.length) pick(options[Math.max(active, 0)]);
    else if (event.key === "Escape") answer ? setAnswer(null) : setText("");
  };
  return html`
    <div class="search card" role="search">
      <span class="search-icon">${icon("search")}</span>
      <input ref=${input} id="search" type="text" role="combobox" autocomplete="off" spellcheck="false" enterkeyhint="search"
        aria-label=${t("search.label")} placeholder=${t("search.hint")} aria-expanded=${String(Boolean(answer))} aria-controls="search-list"
        aria-autocomplete="list" aria-activedescendant=${active >= 0 ? `hit-${active}` : undefined}
        value=${text} onInput=${(event) => setText(event.target.value)} onKeyDown=${onKeyDown} />
      ${text
        ? iconButton({ name: "close", label: t("search.clear"), className: "plain", onClick: () => (setText(""), input.current.focus()) })
        : html`<kbd aria-hidden="true">Ctrl K</kbd>`}
      ${answer && html`
        <div class="card hits">
          <${Hits} answer=${answer} options=${options} active=${active} pick=${pick} words=${text} />
          ${answer.failures?.length > 0 && html`<${Trouble} error=${answer.failures[0]} onRetry=${() => setAttempt(attempt + 1)} />`}
        </div>
      `}
    </div>
  `;
}

function Hits({ answer, options, active, pick, words }) {
  if (answer.loading) return html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i></div>`;
  const nothing = options.length === 0 && answer.failures.length === 0;
  return html`
    <ul id="search-list" role="listbox" aria-label=${t("search.results")}>
      ${options.map((option, n) => html`
        <li key=${option.key ?? "place"} id=${`hit-${n}`} role="option" aria-selected=${String(n === active)}
          class=${n === active ? "hit active" : "hit"} onMouseDown=${(event) => event.preventDefault()} onClick=${() => pick(option)}>
          ${icon("pin")}
          <span class="hit-title">${option.place ? formatPosition(option.place) : option.title}</span>
          <span class="hit-note">${option.place ? (option.place.source ? t("search.converted", { source: option.place.source }) : t("search.place")) : option.note}</span>
        </li>
      `)}
    </ul>
    ${nothing && html`<p class="hint" role="status">${t("search.none", { words })}</p>`}
  `;
}

/** Ctrl+K or ⌘K puts the cursor into the box. */
function useFocusKey(input) {
  useEffect(() => {
    const onKeyDown = (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        input.current.select();
      }
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}

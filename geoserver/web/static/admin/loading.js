/** What a panel reads when it is opened: a skeleton, then the answer or what went wrong, with a way to read again. */

import { useCallback, useEffect, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { Trouble } from "../work/trouble.js";
import { told } from "./state.js";

/** `{ value, trouble, busy, again }` of an asynchronous read; read anew when one of `inputs` changes. */
export function useRead(read, inputs = []) {
  const [found, setFound] = useState({ value: null, trouble: null, busy: true });
  const again = useCallback(async () => {
    setFound((before) => ({ ...before, busy: true }));
    try {
      setFound({ value: await read(), trouble: null, busy: false });
    } catch (error) {
      const trouble = await told(error);
      setFound((before) => ({ ...before, trouble, busy: false }));
    }
  }, inputs);
  useEffect(() => { again(); }, [again]);
  return { ...found, again };
}

/** Do something once at a time: `[run, { busy, trouble, clear }]`; `run` returns whether it went well. */
export function useAct(act) {
  const [state, setState] = useState({ busy: false, trouble: null });
  const run = async (...values) => {
    setState({ busy: true, trouble: null });
    try {
      await act(...values);
      setState({ busy: false, trouble: null });
      return true;
    } catch (error) {
      setState({ busy: false, trouble: await told(error) });
      return false;
    }
  };
  return [run, state];
}

export const Skeleton = () => html`<div class="skeleton" role="status" aria-label=${t("loading")}><i></i><i></i><i></i></div>`;

/** The state of a read, above what it gave. */
export const ReadState = ({ found }) => html`${found.trouble && html`<${Trouble} error=${found.trouble} onRetry=${found.again} />`}${found.busy && found.value === null && html`<${Skeleton} />`}`;

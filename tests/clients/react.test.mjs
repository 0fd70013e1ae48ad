// The hooks, with a stand-in for React that calls a component again whenever its state changes.

import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";

const STAND_IN = `
let cells, at, again;
export function mount(component) {
  cells = []; const here = cells; const view = { value: null };
  const draw = () => { cells = here; at = 0; again = draw; view.value = component(); };
  draw();
  view.unmount = () => here.forEach((cell) => cell.leave?.());
  return view;
}
function cell(make) { const index = at++; return (cells[index] ??= make()); }
export function useState(first) {
  const draw = again;
  const own = cell(() => { const made = { value: first };
    made.set = (next) => { made.value = typeof next === "function" ? next(made.value) : next; draw(); }; return made; });
  return [own.value, own.set];
}
export const useRef = (first) => cell(() => ({ current: first }));
export function useCallback(work, inputs) {
  const own = cell(() => ({ work, inputs }));
  if (own.inputs.some((one, at) => one !== inputs[at])) Object.assign(own, { work, inputs });
  return own.work;
}
export const useEffect = (effect) => cell(() => ({ leave: effect() }));
`;
const url = (text) => `data:text/javascript,${encodeURIComponent(text)}`;
register(
  url(`export const resolve = (name, context, next) =>
    name === "react" ? { url: ${JSON.stringify(url(STAND_IN))}, shortCircuit: true } : next(name, context);`),
);

const { mount } = await import("react");
const { useAIChat, useStream } = await import(`${process.env.TRANS_STATIC}/react.js`);
const { StreamClient } = await import(`${process.env.TRANS_STATIC}/client.js`);
const client = new StreamClient({ baseUrl: process.env.TRANS_URL });
const until = async (is) => {
  for (let turn = 0; turn < 1000 && !is(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(is());
};

test("T2-28 a run is state: what came, how far it is, and how it ended", async () => {
  const view = mount(() => useStream(client, { limit: 5 }));
  assert.deepEqual([view.value.status, view.value.isStreaming], ["idle", false]);
  await view.value.start("numbers", { count: 8 });
  assert.deepEqual(view.value.results.map(({ n }) => n), [3, 4, 5, 6, 7]);
  assert.deepEqual([view.value.status, view.value.summary.successful, view.value.error], ["complete", 8, null]);
});

test("T2-28 starting again leaves the run before, and stopping is no error", async () => {
  const view = mount(() => useStream(client));
  const first = view.value.start("numbers", { count: 1000, wait: 0.01 });
  await until(() => view.value.results.length > 1);
  const second = view.value.start("numbers", { count: 1000, wait: 0.01 });
  await first;
  await until(() => view.value.results.length > 1);
  view.value.stop();
  await second;
  assert.deepEqual([view.value.status, view.value.error], ["stopped", null]);
});

test("T2-28 a component that goes away leaves its run", async () => {
  const view = mount(() => useStream(client));
  const run = view.value.start("numbers", { count: 1000, wait: 0.01 });
  await until(() => view.value.results.length > 1);
  view.unmount();
  await run;
});

test("T2-28 what fails is in the state", async () => {
  const view = mount(() => useStream(client));
  await view.value.start("nope");
  assert.deepEqual([view.value.status, view.value.error.status], ["failed", 404]);
});

test("T2-29 T2-30 a chat grows with each piece of the answer", async () => {
  const view = mount(() => useAIChat(client, "numbers", (event) => (event.event === "result" ? `${event.result.n} ` : "")));
  await view.value.sendMessage("Count!");
  const { messages, currentResponse, isLoading } = view.value;
  assert.deepEqual(messages, [{ role: "user", content: "Count!" }, { role: "assistant", content: "0 1 2 " }]);
  assert.deepEqual([currentResponse, isLoading], ["", false]);
});

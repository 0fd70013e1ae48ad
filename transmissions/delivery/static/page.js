// The page: starts a run and shows it. What comes from a run is set as text, never as HTML. The token stays in memory.

import { StreamClient } from "./client.js";

const CARDS = 200;
const LINES = 500;
const PREVIEW = 200;
const PACE = 200; // milliseconds between two drawings: to lay out cards and the log takes as long as hundreds of events
const find = (id) => document.getElementById(id);
const buttons = { pause: find("pause"), resume: find("resume"), cancel: find("cancel") };
const lines = [];
const told = []; // what came since the last drawing: events, and results with their numbers
const came = [];
let current = null;
let drawing = null;
let far = null;
let results = 0;

function client() {
  return new StreamClient({ baseUrl: new URL(".", document.baseURI).href, token: find("token").value });
}

async function listApps() {
  try {
    const apps = await client().apps();
    const chosen = find("app").value;
    find("app").replaceChildren(...apps.map(({ name, about }) => new Option(about ? `${name} – ${about}` : name, name)));
    if (chosen) find("app").value = chosen;
    status("Ready");
  } catch (error) {
    status(error.status === 401 ? "Type the token to see the apps." : error.message);
  }
}

async function start() {
  const message = read(find("message").value);
  if (!message) return;
  current?.close();
  clear();
  const stream = client().stream(find("app").value, message, { protocol: find("protocol").value });
  current = stream;
  enable("pause", "cancel");
  status("Connecting");
  try {
    for await (const event of stream) if (current === stream) show(event);
  } catch (error) {
    if (current === stream) status(`Failed: ${error.message}`);
  }
  if (current !== stream) return;
  draw();
  enable();
}

function read(text) {
  try {
    const message = JSON.parse(text || "{}");
    if (message !== null && typeof message === "object" && !Array.isArray(message)) return message;
    status("The message is not a JSON object.");
  } catch (error) {
    status(`The message is not JSON: ${error.message}`);
  }
  return null;
}

function show(event) {
  keep(told, event, LINES);
  if (event.event === "metadata") status(`Running ${event.stream_type}`);
  if (event.event === "progress") far = event;
  if (event.event === "result") far = event.progress ?? far;
  if (event.event === "result") arrived(event.result);
  if (event.event === "record") arrived(event.record);
  if (event.event === "search_result") arrived(found(event));
  if (event.event === "error") status(["Error", event.url, event.error?.message ?? event.message].filter(Boolean).join(": "));
  if (event.event === "summary") end(event);
  else drawing ??= setTimeout(draw, PACE);
}

// Over a WebSocket each event comes by itself: drawn one by one, or with each frame, they would keep the page from hearing them.
function draw() {
  clearTimeout(drawing);
  drawing = null;
  if (far) advance(far.completed, far.total);
  far = null;
  find("results").append(...came.splice(0).map(([number, result]) => card(number, result)));
  while (find("results").childElementCount > CARDS) find("results").firstElementChild.remove();
  find("count").textContent = results ? `(${results})` : "";
  for (const event of told.splice(0)) keep(lines, JSON.stringify(event).slice(0, 2000), LINES);
  find("log").textContent = lines.join("\n");
  find("log").scrollTop = find("log").scrollHeight;
}

function keep(list, one, most) {
  list.push(one);
  if (list.length > most) list.shift();
}

function advance(completed, total) {
  const share = completed / total;
  if (Number.isFinite(share)) find("progress").value = share;
  else find("progress").removeAttribute("value"); // nobody knows how many, or an app says something of its own
}

function end(summary) {
  draw();
  find("progress").value = summary.status === "complete" ? 1 : find("progress").value;
  status(`Ended, ${summary.status}: ${summary.successful} of ${summary.total} in ${summary.total_time_ms} ms`);
}

function arrived(result) {
  results += 1;
  keep(came, [results, result], CARDS);
}

// A card shows what results of crawls have, and of any other what there is.
function card(number, result) {
  const box = element("article", "card");
  const about = result?.document ?? {};
  box.append(element("h3", "", preview(about.title || result?.title || result?.url || `Result ${number}`)));
  for (const [name, value] of facts(result, about)) box.append(element("p", "", name ? `${name}: ${preview(value)}` : value));
  return box;
}

// What a search has found, as a crawl tells of pages.
function found({ url, search_title, search_snippet, content, crawl_result }) {
  return { url, ...crawl_result, document: { title: content?.title ?? search_title, text: content?.markdown ?? search_snippet } };
}

function facts(result, about) {
  if (!result?.url) return [["", preview(result)]];
  const score = typeof result.quality_score === "number" ? `${(result.quality_score * 100).toFixed(1)} %` : undefined;
  const time = result.processing_time_ms === undefined ? undefined : `${result.processing_time_ms} ms`;
  const found = [["URL", result.url], ["Status", result.status], ["Time", time], ["Quality", score]];
  return [...found, ["", about.text && preview(about.text)]].filter(([, value]) => value !== undefined && value !== "");
}

function preview(said) {
  const text = typeof said === "string" ? said : String(JSON.stringify(said, null, 1));
  return text.length > PREVIEW ? `${text.slice(0, PREVIEW)}…` : text;
}

function element(kind, name, text = "") {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = text;
  return made;
}

function clear() {
  for (const list of [lines, told, came]) list.length = 0;
  results = 0;
  far = null;
  find("results").replaceChildren();
  find("progress").value = 0;
  draw();
}

function status(text) {
  find("status").textContent = text;
}

function enable(...names) {
  for (const [name, button] of Object.entries(buttons)) button.disabled = !names.includes(name);
}

async function act(name) {
  try {
    const stream = current;
    const { state } = await stream[name]();
    if (stream.summary || stream !== current) return; // the run ended before the answer came
    if (state === "paused") enable("resume", "cancel");
    if (state === "running") enable("pause", "cancel");
    status(`The run is ${state}`);
  } catch (error) {
    status(error.message);
  }
}

find("form").addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
find("token").addEventListener("change", listApps);
for (const [name, button] of Object.entries(buttons)) button.addEventListener("click", () => act(name));
listApps();

// The page: starts a run and shows it. What comes from a run is set as text, never as HTML. The token stays in memory.

import { StreamClient } from "./client.js";

const CARDS = 200;
const LINES = 500;
const PREVIEW = 200;
const find = (id) => document.getElementById(id);
const buttons = { pause: find("pause"), resume: find("resume"), cancel: find("cancel") };
const lines = [];
let current = null;
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
  if (current === stream) enable();
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
  log(event);
  if (event.event === "metadata") status(`Running ${event.stream_type}`);
  const far = event.event === "progress" ? event : event.event === "result" && event.progress;
  if (far) advance(far.completed, far.total);
  if (event.event === "result") card(event.result);
  if (event.event === "record") card(event.record);
  if (event.event === "search_result") card(found(event));
  if (event.event === "error") status(["Error", event.url, event.error?.message ?? event.message].filter(Boolean).join(": "));
  if (event.event === "summary") end(event);
}

function advance(completed, total) {
  const share = completed / total;
  if (Number.isFinite(share)) find("progress").value = share;
  else find("progress").removeAttribute("value"); // nobody knows how many, or an app says something of its own
}

function end(summary) {
  find("progress").value = summary.status === "complete" ? 1 : find("progress").value;
  status(`Ended, ${summary.status}: ${summary.successful} of ${summary.total} in ${summary.total_time_ms} ms`);
}

// A card shows what results of crawls have, and of any other what there is.
function card(result) {
  results += 1;
  find("count").textContent = `(${results})`;
  const box = element("article", "card");
  const about = result?.document ?? {};
  box.append(element("h3", "", preview(about.title || result?.title || result?.url || `Result ${results}`)));
  for (const [name, value] of facts(result, about)) box.append(element("p", "", name ? `${name}: ${preview(value)}` : value));
  find("results").append(box);
  if (find("results").childElementCount > CARDS) find("results").firstElementChild.remove();
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

function log(event) {
  lines.push(JSON.stringify(event).slice(0, 2000));
  lines.splice(0, lines.length - LINES);
  schedule();
}

// The log is drawn once for all that came within a frame.
let isScheduled = false;
function schedule() {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    find("log").textContent = lines.join("\n");
    find("log").scrollTop = find("log").scrollHeight;
  });
}

function clear() {
  results = 0;
  lines.length = 0;
  find("results").replaceChildren();
  find("count").textContent = "";
  find("log").textContent = "";
  find("progress").value = 0;
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

// The JavaScript clients of crawls and searches, under Node, against the apps themselves; Python starts them.

import assert from "node:assert/strict";
import { test } from "node:test";

const at = process.env.TRANS_STATIC;
const { Refused, StreamClient } = await import(`${at}/client.js`);
const { EventMeshSSEClient, EventMeshStreamClient, EventMeshWebSocketClient, RipTideWebSocketClient, streamDeepSearch } =
  await import(`${at}/eventmesh.js`);

const baseUrl = process.env.TRANS_URL;
const searchUrl = process.env.TRANS_SEARCH;
const socketUrl = baseUrl.replace("http", "ws");
const urls = JSON.parse(process.env.TRANS_PAGES); // one that is quick, one that is slow, one that is not there
const many = JSON.parse(process.env.TRANS_MANY);
const FRESH = { cache_mode: "bypass", concurrency: 3 };
const PROTOCOLS = ["ndjson", "sse", "websocket", ...(globalThis.EventSource ? ["eventsource"] : [])];

const named = (events, name) => events.filter(({ event }) => event === name);

async function read(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

for (const protocol of PROTOCOLS) {
  test(`a crawl is one result or one error for each URL, the quick ones first, over ${protocol}`, async () => {
    const stream = new StreamClient({ baseUrl, protocol }).crawl(urls, FRESH);
    const events = await read(stream);
    assert.deepEqual(named(events, "result").map(({ result }) => result.document.title), ["Roses", "Slow"]);
    assert.deepEqual(named(events, "error").map(({ url, error }) => [url, error.error_code]), [[urls[2], "HTTP_STATUS"]]);
    assert.deepEqual([stream.summary.status, stream.summary.successful, stream.summary.failed], ["partial", 2, 1]);
  });

  test(`DS-01 DS-05 a search is told from its start to its summary, over ${protocol}`, async () => {
    const stream = new StreamClient({ baseUrl: searchUrl, protocol }).deepSearch("roses", { crawl_options: FRESH });
    const events = await read(stream);
    const kinds = ["search_start", "search_results", "crawl_start", "search_result", "search_summary"];
    assert.deepEqual(kinds.map((name) => named(events, name).length), [1, 1, 1, 2, 1]);
    assert.equal(named(events, "search_result")[0].content.title, "Roses");
  });
}

test("JS-01 the client of NDJSON crawls", async () => {
  const client = new EventMeshStreamClient({ baseUrl, bufferSize: 2048 });
  const heard = [];
  for (const name of ["onMetadata", "onProgress", "onResult", "onError", "onSummary"]) client[name] = () => heard.push(name);
  const metrics = await client.streamCrawlResults(urls, FRESH);
  assert.deepEqual([heard[0], heard.at(-1), new Set(heard).size], ["onMetadata", "onSummary", 5]);
  assert.deepEqual([metrics.eventsByType.result, metrics.eventsByType.error, metrics.dropRate], [2, 1, 0]);
});

test("JS-02 a crawl that cannot be is refused with its status and the reason", async () => {
  const refused = (error) => error instanceof Refused && error.status >= 400 && error.status < 500 && /urls/.test(error.body);
  await assert.rejects(new EventMeshStreamClient({ baseUrl }).streamCrawlResults([]), refused);
});

test("JS-04 the client of Server-Sent Events crawls, and stops behind the summary", async () => {
  const client = new EventMeshSSEClient({ baseUrl });
  const titles = [];
  const summaries = [];
  client.onResult = ({ result }) => titles.push(result.document.title);
  client.onSummary = (event) => summaries.push(event.successful);
  const stream = await client.startCrawlSSE(urls.slice(0, 2), FRESH);
  await client.finished;
  assert.deepEqual([titles, summaries, stream.metrics.reconnects], [["Roses", "Slow"], [2], 0]);
});

test("JS-05 JS-06 the client of WebSockets crawls; each crawl has a name to pause, resume and cancel it by", async () => {
  const client = new EventMeshWebSocketClient(socketUrl);
  await client.connect();
  const found = [];
  const work = client.crawl(many, { ...FRESH, onResult: ({ result }) => found.push(result.url) });
  while (!found.length) await new Promise((resolve) => setTimeout(resolve, 10));
  const states = [];
  for (const name of ["pauseCrawl", "resumeCrawl", "cancelCrawl"]) states.push((await client[name](work.requestId)).state);
  const { results, summary } = await work;
  assert.deepEqual(states, ["paused", "running", "cancelled"]);
  assert.deepEqual([results.length, summary.status], [found.length, "cancelled"]);
  assert.ok(results.length < many.length);
  client.disconnect();
});

test("JS-07 the other client of WebSockets crawls without having connected, and hears by name or anything", async () => {
  const client = new RipTideWebSocketClient(socketUrl);
  const heard = new Set();
  client.on("result", ({ result }) => heard.add(result.url));
  client.on("*", ({ event }) => heard.add(event));
  const [one, two] = await Promise.all([client.crawl(urls.slice(0, 1), FRESH), client.crawl(urls.slice(1, 2), FRESH)]);
  assert.deepEqual([one, two].map(({ results }) => results.map(({ result }) => result.url)), [[urls[0]], [urls[1]]]);
  assert.ok(heard.has(urls[0]) && heard.has("metadata") && heard.has("summary") && !heard.has("result"));
});

// What the published second client says over the wire, and how it takes what comes.
function published(url) {
  const sessionId = `ws-session-${Date.now()}-x`;
  const socket = new WebSocket(`${url}/crawl/ws?session_id=${sessionId}`);
  return new Promise((resolve, reject) => {
    const results = [];
    const requestId = `req-${Date.now()}-x`;
    const asked = { action: "crawl", requestId, urls: urls.slice(0, 2), options: FRESH };
    socket.onopen = () => socket.send(JSON.stringify({ ...asked, sessionId, timestamp: Date.now() }));
    socket.onerror = reject;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.sessionId && message.sessionId !== sessionId) return;
      if (message.requestId !== requestId) return;
      if (message.event === "result") results.push(message);
      if (message.event === "error") reject(new Error(message.error.message));
      if (message.event === "summary") resolve({ results, summary: message, socket });
    };
  });
}

test("JS-08 WS-04 the second dialect crawls as it is published", async () => {
  const { results, summary, socket } = await published(socketUrl);
  socket.close(1000);
  assert.deepEqual([results.map(({ result }) => result.url), summary.total_urls], [urls.slice(0, 2), 2]);
});

test("DS-07 DS-15 the published search gives every event, and what it comes to", async () => {
  const names = new Set();
  const options = { baseUrl: searchUrl, crawl_options: FRESH, limit: 2, onEvent: ({ event }) => names.add(event) };
  const { results, summary } = await streamDeepSearch("roses", options);
  assert.deepEqual([results.length, summary.urls_found, summary.urls_crawled], [2, 2, 2]);
  assert.ok(["metadata", "search_start", "search_results", "crawl_start", "search_result", "summary"].every((name) => names.has(name)));
});

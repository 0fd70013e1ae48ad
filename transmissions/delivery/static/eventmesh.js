// Clients of crawls, with the options, callbacks and methods of the published samples.

import { StreamClient, StreamError, StreamErrorHandler, newName } from "./client.js";

const CALLBACKS = {
  metadata: "onMetadata",
  progress: "onProgress",
  result: "onResult",
  error: "onError",
  summary: "onSummary",
  backpressure_warning: "onBackpressure",
  heartbeat: "onHeartbeat",
};

/** NDJSON. Set `onMetadata`, `onProgress`, `onResult`, `onError`, `onSummary`, `onBackpressure`. */
export class EventMeshStreamClient {
  constructor(options = {}) {
    const usual = { bufferSize: 1024, enableBackpressure: true, slowClientThreshold: 100, maxRetries: 3, path: "/crawl" };
    this.options = { ...usual, ...options };
    this.client = new StreamClient({ protocol: "ndjson", ...this.options });
    this.metrics = null;
  }

  /** Crawl to the end, and return the metrics. */
  async streamCrawlResults(urls, options = {}) {
    const { signal, ...crawl } = options;
    const { path } = this.options;
    const stream = this.client.crawl(urls, crawl, { path, signal, sessionId: newSession("session") });
    this.metrics = stream.metrics;
    for await (const event of stream) tell(this, event);
    return stream.metrics.getMetrics();
  }
}

/** Server-Sent Events by EventSource; where there is none, by fetch. */
export class EventMeshSSEClient {
  constructor(options = {}) {
    const given = { maxReconnectAttempts: 5, baseRetryDelay: 1000, maxRetryDelay: 30000, path: "/crawl", ...options };
    this.options = given;
    const protocol = globalThis.EventSource || given.EventSource ? "eventsource" : "sse";
    const delays = { maxRetries: given.maxReconnectAttempts, baseDelay: given.baseRetryDelay, maxDelay: given.maxRetryDelay };
    this.client = new StreamClient({ protocol, ...given, ...delays });
    this.stream = null;
    this.finished = Promise.resolve();
  }

  /** Begin a crawl; `finished` is settled when it has ended. */
  async startCrawlSSE(urls, options = {}) {
    this.disconnect();
    this.stream = this.client.crawl(urls, options, { path: this.options.path });
    this.finished = this.#read(this.stream);
    this.finished.catch(() => {}); // who waits for it is told
    return this.stream;
  }

  disconnect() {
    this.stream?.close();
    this.stream = null;
  }

  async #read(stream) {
    try {
      for await (const event of stream) tell(this, event);
    } catch (error) {
      this.onMaxReconnectAttemptsReached?.(error);
      throw error;
    }
  }
}

/** WebSocket: each crawl on a socket of its own, so that one that is slow holds up no other. */
export class EventMeshWebSocketClient {
  constructor(baseUrl = "ws://localhost:8080", options = {}) {
    this.options = { path: "/crawl", maxRetries: 5, baseDelay: 2000, ...options };
    this.client = new StreamClient({ ...this.options, baseUrl: baseUrl.replace(/^ws/, "http"), protocol: "websocket" });
    this.handlers = {};
    this.activeRequests = new Map();
    this.sessionId = null;
  }

  /** Have a session. */
  async connect() {
    this.sessionId = await this.client.session();
  }

  on(event, handler) {
    this.handlers[event] = handler;
  }

  off(event) {
    delete this.handlers[event];
  }

  /** Crawl. What is returned has `requestId`, and is a promise of `{ results, summary }`. */
  crawl(urls, options = {}) {
    const { onProgress, onResult, ...crawl } = options;
    const stream = this.client.crawl(urls, crawl, { path: this.options.path, sessionId: this.sessionId ?? "" });
    this.activeRequests.set(stream.requestId, stream);
    const work = this.#read(stream, { onProgress, onResult });
    return Object.assign(work, { requestId: stream.requestId });
  }

  pauseCrawl(requestId) {
    return this.client.control(requestId, "pause");
  }

  resumeCrawl(requestId) {
    return this.client.control(requestId, "resume");
  }

  cancelCrawl(requestId) {
    return this.client.control(requestId, "cancel");
  }

  disconnect() {
    for (const stream of this.activeRequests.values()) stream.close();
    this.activeRequests.clear();
  }

  async #read(stream, callbacks) {
    const results = [];
    try {
      for await (const event of stream) {
        if (event.event === "result") results.push(event);
        callbacks[CALLBACKS[event.event]]?.(event);
        tell(this, event);
        (this.handlers[event.event] ?? this.handlers["*"])?.(event);
      }
    } finally {
      this.activeRequests.delete(stream.requestId);
    }
    if (!stream.summary) throw new StreamError("the crawl was left before its end");
    return { results, summary: stream.summary };
  }
}

export { EventMeshWebSocketClient as RipTideWebSocketClient, StreamErrorHandler };

/** Streams again and again until one comes through. The count begins anew with each call. */
export class ReconnectingStreamClient extends StreamErrorHandler {
  constructor(maxRetries = 3, baseDelay = 1000, options = {}) {
    super({ maxRetries: maxRetries + 1, baseDelay, ...options });
  }

  streamWithRetry(stream) {
    return this.handleStreamWithRetry(stream);
  }
}

/** Search, calling `onEvent` with what comes; return `{ results, summary }`, both as they were sent. */
export async function streamDeepSearch(query, options = {}) {
  const { limit = 10, include_content = true, crawl_options = {}, onEvent, signal, ...connection } = options;
  const stream = new StreamClient(connection).deepSearch(
    query,
    { limit, include_content, crawl_options },
    { signal, sessionId: newSession("search") },
  );
  const results = [];
  let summary = null;
  for await (const event of stream) {
    onEvent?.(event);
    if (event.event === "search_result") results.push(event);
    if (event.event === "search_summary") summary = event;
  }
  return { results, summary };
}

function tell(client, event) {
  client[CALLBACKS[event.event]]?.(event);
}

function newSession(prefix) {
  return `${prefix}-${Date.now()}-${newName()}`;
}

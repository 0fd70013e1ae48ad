// The types of client.js.

export type Protocol = "ndjson" | "sse" | "eventsource" | "websocket";

/** An event as it was sent. `seq` is missing where it tells of the connection; an app's own events have what they like. */
export interface StreamEvent {
  event: string;
  seq?: number;
  timestamp?: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what apps send is theirs
  [name: string]: any;
}

/** The last event: what became of the run. */
export interface Summary extends StreamEvent {
  event: "summary";
  status?: "complete" | "partial" | "cancelled" | "failed";
  successful?: number;
  failed?: number;
  total?: number | null;
  total_time_ms?: number;
}

/** What stands in the envelope of an error. */
export interface Told {
  message?: string;
  retryable?: boolean;
  retry_after_seconds?: number;
  [name: string]: unknown;
}

export interface RunState {
  request_id: string;
  state: string;
  [name: string]: unknown;
}

export interface AppInfo {
  name: string;
  about?: string;
  [name: string]: unknown;
}

/** What a WebSocket has to have. */
export type WebSocketKind = new (url: string) => {
  readyState: number;
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  send(text: string): void;
  close(code?: number): void;
};

/** What an EventSource has to have. */
export type EventSourceKind = new (url: string) => {
  readyState: number;
  onerror: unknown;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- of whatever kind its events are
  addEventListener(name: string, listener: (event: any) => void): void;
  close(): void;
};

/** Times are in milliseconds. */
export interface ClientOptions {
  baseUrl?: string;
  protocol?: Protocol;
  token?: string;
  maxRetries?: number;
  baseDelay?: number;
  maxDelay?: number;
  heartbeat?: number;
  firstByteTimeout?: number;
  bufferSize?: number;
  enableBackpressure?: boolean;
  slowClientThreshold?: number;
  eventNames?: readonly string[];
  fetch?: typeof globalThis.fetch;
  WebSocket?: WebSocketKind | undefined;
  EventSource?: EventSourceKind | undefined;
}

/** Of one run. */
export interface RunOptions {
  signal?: AbortSignal | undefined;
  sessionId?: string;
  key?: string;
  protocol?: Protocol;
  eventNames?: readonly string[];
}

export type Message = Readonly<Record<string, unknown>>;
export type Handler = (event: StreamEvent) => unknown;

export class StreamClient {
  constructor(options?: ClientOptions);
  options: ClientOptions & { baseUrl: string; protocol: Protocol };
  on(name: string, handler: Handler): this;
  off(name: string): this;
  stream(app: string, message?: Message, options?: RunOptions): Stream;
  streamAt(path: string, message?: Message, options?: RunOptions): Stream;
  crawl(urls: readonly string[], options?: Message, asked?: RunOptions & { path?: string }): Stream;
  deepSearch(query: string, options?: Message, asked?: RunOptions & { path?: string }): Stream;
  follow(requestId: string, options?: RunOptions & { since?: number }): Stream;
  run(app: string, message?: Message, options?: RunOptions): Promise<{ results: StreamEvent[]; summary: Summary | null }>;
  control(requestId: string, action: "pause" | "resume" | "cancel"): Promise<RunState>;
  status(requestId: string): Promise<RunState>;
  apps(): Promise<AppInfo[]>;
  session(signal?: AbortSignal): Promise<string>;
}

export class Stream implements AsyncIterable<StreamEvent> {
  private constructor();
  requestId: string;
  /** The number of the latest event. */
  last: number;
  summary: Summary | null;
  metrics: StreamMetrics;
  get client(): StreamClient;
  get signal(): AbortSignal;
  [Symbol.asyncIterator](): AsyncGenerator<StreamEvent, void, undefined>;
  run(): Promise<{ results: StreamEvent[]; summary: Summary | null }>;
  pause(): Promise<RunState>;
  resume(): Promise<RunState>;
  cancel(): Promise<RunState>;
  close(): void;
}

export function newName(): string;

/** What arrives: an event, or what should have been one and is no JSON. */
export type Arrived = { event: StreamEvent; isBare?: boolean; broken?: undefined } | { broken: string; event?: undefined };

export class Lines {
  feed(text: string): Arrived[];
  end(): Arrived[];
}

export class Frames {
  feed(text: string): Arrived[];
  end(): Arrived[];
}

export class StreamError extends Error {
  isRetryable: boolean;
  retryAfter: number;
}

export class Disconnected extends StreamError {}

export class Refused extends StreamError {
  constructor(status: number, told: Told, retryAfter?: number | null, body?: string);
  status: number;
  told: Told;
  body: string;
  static of(response: Response): Promise<Refused>;
}

export interface BackoffOptions {
  maxRetries?: number;
  baseDelay?: number;
  maxDelay?: number;
  random?: () => number;
}

export class Backoff {
  constructor(options?: BackoffOptions);
  tries: number;
  base: number;
  cap: number;
  ceiling(attempt: number): number;
  delay(attempt: number, retryAfter?: number): number;
}

export function isRetryable(error: unknown): boolean;

export class StreamErrorHandler {
  constructor(options?: BackoffOptions);
  isRetryableError(error: unknown): boolean;
  handleStreamWithRetry<Given extends unknown[], Found>(work: (...given: Given) => Promise<Found> | Found, ...given: Given): Promise<Found>;
}

export interface Metrics {
  duration: number;
  totalEvents: number;
  eventsPerSecond: number;
  eventsByType: Record<string, number>;
  avgProcessingTime: number;
  errorRate: number;
  errors: { type?: string; message?: string; timestamp: number }[];
  bufferStats: { maxUsage: number; avgUsage: number; flushes: number };
  dropRate: number;
}

export class StreamMetrics {
  totalEvents: number;
  droppedEvents: number;
  parseErrors: number;
  errorCount: number;
  backpressureEvents: number;
  reconnects: number;
  duplicates: number;
  resets: number;
  avgProcessingTime: number;
  eventsByType: Record<string, number>;
  errors: Metrics["errors"];
  startTime: number | null;
  endTime: number | null;
  bufferStats: Metrics["bufferStats"];
  reset(): void;
  record(event: StreamEvent, milliseconds?: number, wasHandled?: boolean): void;
  get dropRate(): number;
  getMetrics(): Metrics;
}

export class BackpressureDetector {
  constructor(onBackpressure?: (level: "warning" | "critical" | "slow", info: Record<string, unknown>) => void, now?: () => number);
  recordEvent(event: StreamEvent): void;
}

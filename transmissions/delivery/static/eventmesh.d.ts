// The types of eventmesh.js.

import type { ClientOptions, Handler, Message, Metrics, RunState, Stream, StreamEvent, StreamMetrics, Summary } from "./client.js";
import { StreamClient, StreamErrorHandler } from "./client.js";

type CrawlOptions = Message & { signal?: AbortSignal | undefined };
type MeshOptions = ClientOptions & { path?: string };
type Found = { results: StreamEvent[]; summary: Summary };

interface Callbacks {
  onMetadata?: Handler;
  onProgress?: Handler;
  onResult?: Handler;
  onError?: Handler;
  onSummary?: Handler;
  onBackpressure?: Handler;
  onHeartbeat?: Handler;
}

export interface EventMeshStreamClient extends Callbacks {}
export class EventMeshStreamClient {
  constructor(options?: MeshOptions);
  options: MeshOptions;
  client: StreamClient;
  metrics: StreamMetrics | null;
  streamCrawlResults(urls: readonly string[], options?: CrawlOptions): Promise<Metrics>;
}

export interface EventMeshSSEClient extends Callbacks {
  onMaxReconnectAttemptsReached?: (error: unknown) => void;
}
export class EventMeshSSEClient {
  constructor(options?: MeshOptions & { maxReconnectAttempts?: number; baseRetryDelay?: number; maxRetryDelay?: number });
  client: StreamClient;
  stream: Stream | null;
  finished: Promise<void>;
  startCrawlSSE(urls: readonly string[], options?: Message): Promise<Stream>;
  disconnect(): void;
}

export interface EventMeshWebSocketClient extends Callbacks {}
export class EventMeshWebSocketClient {
  constructor(baseUrl?: string, options?: MeshOptions);
  client: StreamClient;
  sessionId: string | null;
  activeRequests: Map<string, Stream>;
  connect(): Promise<void>;
  on(event: string, handler: Handler): void;
  off(event: string): void;
  crawl(urls: readonly string[], options?: Message & { onProgress?: Handler; onResult?: Handler }): Promise<Found> & { requestId: string };
  pauseCrawl(requestId: string): Promise<RunState>;
  resumeCrawl(requestId: string): Promise<RunState>;
  cancelCrawl(requestId: string): Promise<RunState>;
  disconnect(): void;
}

export { EventMeshWebSocketClient as RipTideWebSocketClient, StreamErrorHandler };

export class ReconnectingStreamClient extends StreamErrorHandler {
  constructor(maxRetries?: number, baseDelay?: number, options?: { maxDelay?: number; random?: () => number });
  streamWithRetry<Given>(stream: () => Promise<Given> | Given): Promise<Given>;
}

export function streamDeepSearch(
  query: string,
  options?: ClientOptions & {
    limit?: number;
    include_content?: boolean;
    crawl_options?: Message;
    onEvent?: Handler;
    signal?: AbortSignal;
  },
): Promise<{ results: StreamEvent[]; summary: StreamEvent | null }>;

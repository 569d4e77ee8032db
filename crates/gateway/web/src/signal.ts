// Requests and notices over one WebSocket. It lives once: who loses it opens another.
import type { Methods, Notice } from './protocol';

/** A request that takes longer means that the connection is dead, whatever TCP thinks. */
const REQUEST_TIMEOUT_MS = 10_000;

export class RequestError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface Pending {
  resolve(data: unknown): void;
  reject(error: RequestError): void;
  timer: number;
}

export class Signal {
  onNotice: (notice: Notice) => void = () => {};
  onClose: (reason: string) => void = () => {};
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;

  private constructor(private readonly socket: WebSocket) {
    socket.onmessage = ({ data }) => this.read(JSON.parse(data));
    socket.onclose = ({ reason }) => this.end(reason);
  }

  static open(): Promise<Signal> {
    const url = new URL('/ws', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    url.hash = '';
    const socket = new WebSocket(url);
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => socket.close(), REQUEST_TIMEOUT_MS);
      socket.onopen = () => {
        clearTimeout(timer);
        resolve(new Signal(socket));
      };
      socket.onclose = () => reject(new RequestError('disconnected', 'The server can’t be reached.'));
    });
  }

  request<M extends keyof Methods>(method: M, data: Methods[M][0]): Promise<Methods[M][1]> {
    if (this.socket.readyState !== WebSocket.OPEN) {
      return Promise.reject(new RequestError('disconnected', 'The connection is closed.'));
    }
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => this.end('the server doesn’t answer'), REQUEST_TIMEOUT_MS);
      this.pending.set(id, { resolve: (data) => resolve(data as Methods[M][1]), reject, timer });
      this.socket.send(JSON.stringify({ id, method, data }));
    });
  }

  /** Ends it without telling `onClose`. */
  close(): void {
    this.onClose = () => {};
    this.end('closed');
  }

  private read(message: Notice | { id: number; data?: unknown; error?: { code: string; message: string } }): void {
    if ('event' in message) {
      this.onNotice(message);
      return;
    }
    const pending = this.pending.get(message.id);
    if (!pending) return;
    this.pending.delete(message.id);
    clearTimeout(pending.timer);
    if (message.error) pending.reject(new RequestError(message.error.code, message.error.message));
    else pending.resolve(message.data);
  }

  private end(reason: string): void {
    this.socket.onclose = null;
    this.socket.onmessage = null;
    this.socket.close();
    for (const { reject, timer } of this.pending.values()) {
      clearTimeout(timer);
      reject(new RequestError('disconnected', reason));
    }
    this.pending.clear();
    const { onClose } = this;
    this.onClose = () => {};
    onClose(reason);
  }
}

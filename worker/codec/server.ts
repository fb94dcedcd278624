import { timingSafeEqual, createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Payload } from '@temporalio/common';
import { z } from 'zod';
import { EncryptionCodec, UnreadablePayloadError } from './encryption.ts';
import type { EncryptionKey } from './keys.ts';

/** What a page of the Web UI's history may hold. */
const bodyLimit = 32 * 1024 * 1024;
const base64 = z.string().transform((text) => Buffer.from(text, 'base64'));
const body = z.object({
  payloads: z.array(z.object({ metadata: z.record(base64).nullish(), data: base64.nullish() })),
});

export interface CodecServerOptions {
  readonly keys: readonly EncryptionKey[];
  /** 0 for any that is free. */
  readonly port: number;
  /** The one origin whose pages may ask, as a browser says it: the Web UI's. */
  readonly origin: string;
  /** In the header `Authorization: Bearer …`, or as the first part of the path for a Web UI that sends no header. */
  readonly token: string;
}

export interface CodecServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** May be called twice. */
  stop(): Promise<void>;
}

/**
 * The codec server of Temporal's CLI and Web UI: `POST /decode` and `POST /encode`, on this machine only. Whoever may
 * ask it reads everything, so it wants the token from everybody, and of pages it answers one origin's.
 *
 * @throws Error of the system where the port cannot be had
 */
export async function startCodecServer({ keys, port, origin, token }: CodecServerOptions): Promise<CodecServer> {
  const codec = new EncryptionCodec(keys, 'client');
  const server = createServer((request, response) => {
    void answer(request, response, { codec, origin, token }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answering extends Pick<CodecServerOptions, 'origin' | 'token'> {
  readonly codec: EncryptionCodec;
}

async function answer(request: IncomingMessage, response: ServerResponse, options: Answering): Promise<void> {
  const { codec, origin, token } = options;
  const asks = request.headers.origin;
  // Another name that leads here would be a page's way around its origin.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '') || (asks ?? origin) !== origin) {
    return end(response, 403, 'this server answers its own machine, and pages of the Web UI that it was told of');
  }
  response.setHeader('vary', 'origin');
  if (asks !== undefined) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-credentials', 'true');
  }
  if (request.method === 'OPTIONS') {
    response.setHeader('access-control-allow-methods', 'POST');
    response.setHeader('access-control-allow-headers', 'authorization, content-type, x-namespace');
    return end(response, 204, '');
  }
  const [, inPath = '', work = ''] = /^(?:\/([^/]+))?\/(encode|decode)$/.exec(request.url ?? '') ?? [];
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? inPath;
  if (!same(given, token)) return end(response, 401, 'the token is missing or wrong');
  if (request.method !== 'POST' || work === '') return end(response, 404, 'there are POST /encode and POST /decode');
  const read = body.safeParse(await jsonOf(request));
  if (!read.success) return end(response, 400, 'expected {"payloads":[{"metadata":{…},"data":"…"}]} in Base64');
  const payloads = read.data.payloads as Payload[];
  try {
    const done = await (work === 'encode' ? codec.encode(payloads) : codec.decode(payloads));
    response.setHeader('content-type', 'application/json');
    end(response, 200, JSON.stringify({ payloads: done.map(written) }));
  } catch (error) {
    if (!(error instanceof UnreadablePayloadError)) throw error;
    end(response, 400, error.message);
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'cache-control': 'no-store' }).end(text);
}

/** Compared by digest: neither its beginning nor its length shows in the time that it takes. */
function same(given: string, expected: string): boolean {
  const [one, other] = [given, expected].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(one, other);
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    return undefined;
  }
}

function written({ metadata, data }: Payload): { metadata: Record<string, string>; data: string } {
  const texts = Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]);
  return {
    metadata: Object.fromEntries(texts) as Record<string, string>,
    data: Buffer.from(data ?? []).toString('base64'),
  };
}

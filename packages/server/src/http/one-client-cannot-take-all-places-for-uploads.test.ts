/** Uploads have a number of places; whoever holds many of them, slowly or not, leaves some to the others. */
import { binary, operation } from '@isocenter/client';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createApp } from './app.js';
import { ANONYMOUS } from './authentication.js';
import { ADMIN_KEY, admin, clinician, fakeContext, portOf, SERVICE_KEY, service, talk } from './fake-context.suite.js';
import { implement } from './implement.js';
import { uploaderOf } from './upload.js';
import { UploadGate } from './upload-gate.js';

/** Gives the places back that the client got before it was refused. */
function takeAll(gate: UploadGate, client: string): (() => void)[] {
  const places: (() => void)[] = [];
  for (;;) {
    try {
      places.push(gate.enter(client));
    } catch (error) {
      expect(error).toMatchObject({ kind: 'too-many-uploads', retryAfterSeconds: expect.any(Number) });
      return places;
    }
  }
}

describe('The gate', () => {
  it.each([
    [64, 52],
    [50, 40],
    [5, 4],
    // Too few to keep one free.
    [4, 4],
    [1, 1],
  ])('of %i places gives one client %i', (most, ofOne) => {
    const gate = new UploadGate(most);
    expect(takeAll(gate, 'one')).toHaveLength(ofOne);
    expect(takeAll(gate, 'other')).toHaveLength(most - ofOne);
  });

  it('gives a client as many again as it left, each place once', () => {
    const watched: number[] = [];
    const gate = new UploadGate(10, (inFlight) => watched.push(inFlight));
    const places = takeAll(gate, 'one');
    for (const leave of [...places, ...places]) leave();
    expect(gate.inFlight).toBe(0);
    expect(watched.at(-1)).toBe(0);
    expect(takeAll(gate, 'one')).toHaveLength(8);
  });

  it('knows people and keys wherever they are, and others by their address', () => {
    expect(uploaderOf({ actor: admin, ip: '10.0.0.1' })).toBe(uploaderOf({ actor: admin, ip: '10.0.0.2' }));
    expect(uploaderOf({ actor: ANONYMOUS, ip: '10.0.0.1' })).not.toBe(uploaderOf({ actor: ANONYMOUS, ip: '10.0.0.2' }));
    const here = [admin, clinician, service, ANONYMOUS].map((actor) => uploaderOf({ actor, ip: '10.0.0.1' }));
    expect(new Set(here).size).toBe(4);
  });
});

let app: FastifyInstance | undefined;
afterEach(async () => {
  app?.server.closeAllConnections();
  await app?.close();
});

const head = (key: string) =>
  'POST /isocenter/v1/upload HTTP/1.1\r\nhost: x\r\nconnection: close\r\n' +
  `authorization: Bearer ${key}\r\ncontent-type: application/octet-stream\r\ncontent-length: 5\r\n\r\n`;

describe('A client that sends slowly over many connections', () => {
  it('is told to come back, and others upload', async () => {
    const context = fakeContext({ limits: { uploads: 5 } });
    app = createApp(context);
    implement(
      app,
      operation({
        method: 'POST',
        path: '/isocenter/v1/upload',
        summary: 'Takes bytes',
        tag: 'test',
        permission: 'jobs.create',
        body: binary('application/octet-stream'),
        answer: z.object({ bytes: z.number() }),
      }),
      async ({ body }) => {
        let bytes = 0;
        for await (const chunk of body.stream) bytes += chunk.length;
        return { bytes };
      },
    );
    await app.listen({ port: 0, host: '127.0.0.1' });
    const port = portOf(app);
    const rest: (() => void)[] = [];
    async function* slowly() {
      yield `${head(ADMIN_KEY)}a`;
      await new Promise<void>((resume) => rest.push(resume));
      yield 'bcde';
    }
    const slow = [1, 2, 3, 4].map(() => talk(port, slowly()));
    await vi.waitFor(() => expect(context.uploads.inFlight).toBe(4), { timeout: 20_000 });
    const refused = await talk(port, [`${head(ADMIN_KEY)}abcde`]);
    expect(refused.status, refused.text).toBe(503);
    expect(refused.text.toLowerCase()).toContain('retry-after: 5');
    expect(refused.text).toContain('too-many-uploads');
    const other = await talk(port, [`${head(SERVICE_KEY)}abcde`]);
    expect(other.status, other.text).toBe(200);
    for (const resume of rest) resume();
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(context.uploads.inFlight).toBe(0);
  });
});

/** What an integrator sees, and the exit status, when there is no service, when it fails, and when its answer is wrong. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { makePhantom } from '@isocenter/engine';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { run, spawnCli, Workplace } from '../../run-cli.suite.js';
import { answerOf, type Received, startService } from './service.suite.js';

const workplace = new Workplace();
const { files } = await makePhantom({ size: [16, 12, 2], spacing: [30, 30, 80] });
const input = workplace.path('in');
const output = workplace.path('out');
mkdirSync(input);
for (const { name, bytes } of files) writeFileSync(`${input}/${name}`, bytes);

const servers: { close(done: () => void): void }[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise<void>((resolve) => server.close(resolve))));
});
afterAll(() => workplace.remove());

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

const answering = (listener: RequestListener) => listening(createServer(listener));
const request = (port: number, ...args: string[]) =>
  run('request', 'arterys', input, '-p', String(port), '-o', output, ...args);
const nothingLeft = () =>
  expect(workplace.everything()).toEqual(['in', ...files.map(({ name }) => `in/${name}`), 'tmp']);

describe('the status is 8 and nothing is written', () => {
  it('when no service is there', async () => {
    const port = await answering(() => {});
    await new Promise<void>((resolve) => servers.pop()?.close(resolve));
    const { status, stderr } = await request(port);
    expect(status).toBe(8);
    expect(stderr).toContain(`There is no service [127.0.0.1:${port}]`);
    expect(stderr).toContain('ECONNREFUSED');
    nothingLeft();
  });

  it('when it answers an HTTP error, whose body is shown', async () => {
    const port = await answering((incoming, response) => {
      incoming.resume().on('end', () => {
        response.writeHead(500).end('internal server error\u001b[2J');
      });
    });
    const { status, stderr } = await request(port);
    expect(status).toBe(8);
    expect(stderr).toContain('The service answers HTTP 500 Internal Server Error');
    expect(stderr).toContain('It says: internal server error\\x1b[2J');
    nothingLeft();
  });

  it('when it refuses before it has read everything', async () => {
    const port = await answering((_, response) => {
      response.writeHead(401, { Connection: 'close' }).end('who are you?');
    });
    const { status, stderr } = await request(port, '--json');
    expect([status, stderr]).toEqual([8, '']);
    nothingLeft();
  });

  it('when it hangs up in the middle', async () => {
    const port = await listening(
      createTcpServer((socket) => socket.once('data', () => socket.destroy()).on('error', () => {})),
    );
    const { status, stderr } = await request(port);
    expect(status).toBe(8);
    expect(stderr).toContain('The service hung up before it had answered');
    nothingLeft();
  });

  it('when it speaks something else', async () => {
    const port = await listening(
      createTcpServer((socket) =>
        socket
          .resume()
          .on('error', () => {})
          .end('SSH-2.0-other\r\n'),
      ),
    );
    const { status, stderr } = await request(port);
    expect(status).toBe(8);
    expect(stderr).toContain('does not speak http');
    nothingLeft();
  });

  it('when it is silent for longer than --timeout', async () => {
    const port = await answering((incoming) => incoming.resume());
    const { status, stderr } = await request(port, '--timeout', '0.2');
    expect(status).toBe(8);
    expect(stderr).toContain('silent for too long');
    nothingLeft();
  });
});

describe('the status is', () => {
  it('6 for an answer that breaks a rule, which is on disk all the same', async () => {
    const service = await startService();
    servers.push({ close: (done) => void service.close().then(done) });
    service.plan = { json: { protocol_version: 1, parts: [] } };
    const { status, stdout } = await request(service.port);
    expect(status).toBe(6);
    expect(stdout).toContain('FAULT protocol_version: the version of the protocol is said. Expected "1.0"; got 1.');
    expect(stdout).toContain('The answer breaks 1 rule.');
    expect(workplace.everything()).toContain('out/response.json');
    const json = JSON.parse((await request(service.port, '--json')).stdout);
    expect(json.valid).toBe(false);
    expect(json.faults[0]).toMatchObject({ severity: 'error', part: 'protocol_version', actual: '1' });
  });

  it('6 for an answer that is cut off', async () => {
    const port = await answering((incoming, response) => {
      incoming.resume().on('end', () => {
        const { contentType, body } = answerOf({}, { parts: [] } as unknown as Received);
        response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': body.length + 5000 });
        response.write(body.subarray(0, 200), () => response.destroy());
      });
    });
    const { status, stdout } = await request(port);
    expect(status).toBe(6);
    expect(stdout).toContain('The connection broke off');
  });

  it('3 for a folder without images, and for a folder that is not there', async () => {
    mkdirSync(workplace.path('empty'), { recursive: true });
    writeFileSync(workplace.path('empty', 'readme'), 'text');
    const empty = await run('request', 'arterys', workplace.path('empty'), '-o', output);
    expect([empty.status, empty.stderr]).toEqual([3, expect.stringContaining('no DICOM image, PNG or JPEG')]);
    expect((await run('request', 'arterys', workplace.path('nowhere'), '-o', output)).status).toBe(3);
    expect((await run('request', 'arterys', '-i', input, '-a', workplace.path('nowhere'), '-o', output)).status).toBe(
      3,
    );
  });

  it('2 for a wrong command line', async () => {
    for (const args of [
      [],
      [input, '-p', '70000'],
      [input, '-R', 'novalue'],
      [input, '-i', output],
      [input, '--url', 'ftp://x'],
    ])
      expect((await run('request', 'arterys', '-o', output, ...args)).status, args.join(' ')).toBe(2);
  });

  it('5 for a place that cannot be written to, before anything is sent', async () => {
    writeFileSync(workplace.path('file'), '');
    let requests = 0;
    const port = await answering((_, response) => {
      requests++;
      response.end();
    });
    expect((await request(port, '-o', workplace.path('file'))).status).toBe(5);
    expect(requests).toBe(0);
  });

  it('130 after Ctrl-C while the service thinks, and nothing is left', async () => {
    let interrupt: () => void = () => {};
    const port = await answering((incoming) => {
      incoming.resume().on('end', () => interrupt());
    });
    const before = workplace.everything();
    const ran = await spawnCli(
      ['request', 'arterys', input, '-p', String(port), '-o', workplace.path('late')],
      (child) => {
        interrupt = () => child.kill('SIGINT');
      },
    );
    expect([ran.status, workplace.since(before)]).toEqual([130, []]);
  });
});

describe('--health', () => {
  const health = (port: number, ...args: string[]) =>
    run('request', 'arterys', '--url', `http://127.0.0.1:${port}`, '--health', ...args);

  it('asks by GET and POST, or by one of them', async () => {
    const asked: string[] = [];
    const port = await answering((incoming, response) => {
      asked.push(`${incoming.method} ${incoming.url}`);
      response.end('READY');
    });
    expect((await health(port)).status).toBe(0);
    expect((await health(port, 'post')).stdout).toContain('READY');
    expect(asked).toEqual(['GET /healthcheck', 'POST /healthcheck', 'POST /healthcheck']);
  });

  it('tells a service that is not ready from one that is not there', async () => {
    const port = await answering((_, response) => response.end('LOADING'));
    const { status, stderr } = await health(port);
    expect(status).toBe(8);
    expect(stderr).toContain('The service is there, but not ready: GET answers HTTP 200 "LOADING"');
  });
});

/** What every protocol promises, whoever speaks it: run by one test for each in list.ts. */
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { readConfiguration } from '../configuration/read-configuration.js';
import type { RouteEntry } from '../http/access.js';
import { fakeContext } from '../http/fake-context.suite.js';
import { Metrics } from '../operations/metrics.js';
import { Readiness } from '../operations/readiness.js';
import { makeDoors, networksOf } from '../serve/make-doors.js';
import type { Services } from '../services/services.js';
import type { Protocol } from './protocol.js';

const INSIDE = '10.1.2.3';
const OUTSIDE = '192.0.2.1';
const HEALTH = ['/health/live', '/health/ready'];

/** One of its addresses, with ids that nobody has. */
const addressOf = ({ path }: RouteEntry) =>
  path.replace(/:[A-Za-z]+/g, '00000000-0000-4000-8000-000000000000').replace('*', 'x');

const nameOf = ({ method, path }: RouteEntry) => `${method} ${path}`;

export function protocolSuite(protocol: Protocol): void {
  describe(`the protocol ${protocol.name}`, () => {
    const apps: FastifyInstance[] = [];
    afterEach(async () => {
      await Promise.all(apps.splice(0).map((app) => app.close()));
    });

    /** Its ports as the configuration wants them; no request of these tests comes as far as the services. */
    function doorsFor(wish: object) {
      const configured = readConfiguration({
        environment: {},
        flags: { home: '/nonexistent', protocols: JSON.stringify({ [protocol.name]: wish }) },
      });
      const context = fakeContext({ settings: { networks: networksOf(configured.values) } });
      const doors = makeDoors(configured.values, {
        context,
        services: { configuration: configured } as Services,
        readiness: new Readiness(context.drain, []),
        metrics: new Metrics(),
      });
      apps.push(...doors.map(({ app }) => app));
      return { main: doors[0].app, own: doors.find(({ name }) => name === protocol.name)?.app };
    }

    /** Those that the main port has because of it. */
    function routesOf(main: FastifyInstance): readonly RouteEntry[] {
      const without = new Set(doorsFor({ enabled: false }).main.routesTable.map(nameOf));
      return main.routesTable.filter((route) => !without.has(nameOf(route)));
    }

    it('says for each of its routes who may call it, and opens no door but its own', () => {
      const routes = routesOf(doorsFor({}).main);
      expect(routes.length).toBeGreaterThan(0);
      for (const { access, path } of routes)
        if (typeof access === 'string') expect(access, path).not.toBe('');
        else expect(access.door, path).toBe(protocol.name);
    });

    it('answers an address that it does not have with a problem document', async () => {
      const { own } = doorsFor({ port: 0 });
      const answer = await own!.inject({ url: '/no-such/address' });
      expect(answer.statusCode).toBe(404);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({ status: 404 });
    });

    it('is not there when it is switched off', async () => {
      const routes = routesOf(doorsFor({}).main);
      const { main, own } = doorsFor({ enabled: false, port: 0 });
      expect(own).toBeUndefined();
      // What another protocol then has at the same address is its own affair.
      const others = new Set(main.routesTable.map(({ path }) => path));
      for (const route of routes.filter(({ path }) => !others.has(path))) {
        const { statusCode } = await main.inject({ method: route.method as 'GET', url: addressOf(route) });
        expect([404, 405], nameOf(route)).toContain(statusCode);
      }
    });

    it('has on a port of its own its routes and health, and nothing else', () => {
      const { main, own } = doorsFor({ port: 0 });
      const routes = new Set(routesOf(main).map(nameOf));
      const there = own!.routesTable.filter(({ path }) => !HEALTH.includes(path)).map(nameOf);
      expect(there).toEqual(expect.arrayContaining([...routes]));
      // What it has there alone are addresses that belong to somebody else on the main port, like `/`.
      const elsewhere = new Set(main.routesTable.map(nameOf));
      for (const route of there) expect(routes.has(route) || elsewhere.has(route), route).toBe(true);
    });

    it('stands beside every other protocol on the main port', () => {
      const { main } = doorsFor({});
      expect(new Set(main.routesTable.map(nameOf)).size).toBe(main.routesTable.length);
    });

    it('leaves the main port when it is to have its own alone', () => {
      const both = doorsFor({ port: 0 });
      const alone = doorsFor({ port: 0, mainPort: false });
      expect(routesOf(alone.main)).toEqual([]);
      expect(alone.own!.routesTable.map(nameOf)).toEqual(both.own!.routesTable.map(nameOf));
    });

    it('lets nobody in without a login but from the networks of its door, and there only where a route says so', async () => {
      const { main } = doorsFor({ networks: ['10.1.0.0/16'] });
      for (const route of routesOf(main)) {
        if (route.access === 'public') continue;
        const ask = async (remoteAddress: string) =>
          (await main.inject({ method: route.method as 'GET', url: addressOf(route), remoteAddress })).statusCode;
        expect(await ask(OUTSIDE), nameOf(route)).toBe(401);
        const inside = await ask(INSIDE);
        if (typeof route.access === 'string' || route.access.withoutLogin === false)
          expect(inside, nameOf(route)).toBe(401);
        else expect([401, 403], nameOf(route)).not.toContain(inside);
      }
    });
  });
}

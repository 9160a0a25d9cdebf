export type { Actor } from './accounts/actor.js';

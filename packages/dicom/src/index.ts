export * from './series/reference.js';

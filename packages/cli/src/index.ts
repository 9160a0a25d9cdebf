export { exitCodes } from './exit-codes.js';
export { runCommandLine } from './program.js';

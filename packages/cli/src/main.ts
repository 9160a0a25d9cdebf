/** The `isocenter` process: runs the command line and leaves with its exit status. */
import { runCommandLine } from './program.js';

process.exitCode = await runCommandLine(process.argv.slice(2));

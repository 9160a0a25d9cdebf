/** The `isocenter` process: runs the command line and leaves with its exit status. */
import { runCommandLine } from './program.js';

// A reader that has seen enough (`| head`) closes the pipe: that is no error, and the work itself goes on to its end.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

process.exitCode = await runCommandLine(process.argv.slice(2));

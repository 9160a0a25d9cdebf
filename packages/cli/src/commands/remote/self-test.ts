/** `isocenter selftest`: a synthetic patient through a running server's own queue, compared, and cleaned up. */
import { exitCodes } from '../../exit-codes.js';
import { table } from '../../output/table.js';
import type { CommandContext } from '../../program.js';
import { connect, type RemoteOptions } from '../../remote/connect.js';

export async function selfTestCommand(options: RemoteOptions, context: CommandContext): Promise<number> {
  const result = await connect(options).client.operations.selfTest(
    {},
    context.watch.signal ? { signal: context.watch.signal } : {},
  );
  const { terminal } = context;
  terminal.print(
    table(
      ['check', 'result', ''],
      result.checks.map(({ check, passed, details }) => [check, passed ? 'passed' : 'FAILED', details]),
    ),
  );
  terminal.print(`\nself-test ${result.passed ? 'passed' : 'FAILED'} in ${result.seconds.toFixed(1)} s`);
  terminal.document(result);
  return result.passed ? exitCodes.ok : exitCodes.proof;
}

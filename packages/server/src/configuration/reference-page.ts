/** docs/reference/configuration.md as text, from the table of settings. */
import { z } from 'zod';
import { dashed } from './read-configuration.js';
import { environmentName, type Setting } from './setting.js';
import { settings } from './settings.js';

/** What the machine decides; the page says it in words, so that it is the same everywhere. */
const MACHINE: Readonly<Record<string, string>> = {
  home: '`~/.local/share/isocenter` (Linux; `XDG_DATA_HOME` is honoured), `~/Library/Application Support/Isocenter` (macOS), `%LOCALAPPDATA%\\Isocenter` (Windows)',
  threads: 'all of them',
};

export function configurationPage(): string {
  const rows = Object.entries(settings as Readonly<Record<string, Setting>>).map(([key, one]) => {
    const fallback =
      MACHINE[key] ?? (one.fallback === undefined ? '' : `\`${JSON.stringify(one.fallback).replaceAll('|', '\\|')}\``);
    return `| \`${key}\` | \`${environmentName(key, one)}\` | ${fallback} | ${one.about} |`;
  });
  return `# Configuration

Made from \`packages/server/src/configuration/settings.ts\`; \`isocenter config\` prints the values of this machine and where each
comes from.

Later ones win: default, \`config.json\` in the data directory (or \`--config FILE\`), environment, flag. In the file a setting is
JSON under its key. In the environment and after \`--set key=value\` it is JSON or plain text, and a list may be written with
commas. A name that sets nothing is an error, so that a typing mistake is not passed over.

    npx isocenter serve --port 9000 --set idleMinutes=2
    ISOCENTER_IDLE_MINUTES=2 npx isocenter config

\`--${dashed('home')}\`, \`--host\`, \`--port\`, \`--workers\`, \`--${dashed('databaseUrl')}\` and \`--${dashed('blobStore')}\` have flags of their own.

| setting | variable | default | meaning |
|---|---|---|---|
${rows.join('\n')}

## Objects

\`protocols\` holds one object per protocol name, \`oidc\` one object:

\`\`\`json
${JSON.stringify({ protocols: z.toJSONSchema(settings.protocols.schema, { io: 'input' }).additionalProperties, oidc: z.toJSONSchema(settings.oidc.schema, { io: 'input' }) }, undefined, 2)}
\`\`\`
`;
}

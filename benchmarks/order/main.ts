import { attacks } from './attacks';
import { costs } from './costs';
import { sideBySide, soak } from './load';
import { connect, schema } from './server';
import { situations } from './situations';

const parts = {
  load: () => sideBySide(Number(process.env.ROUNDS ?? 3), Number(process.env.SECONDS ?? 2)),
  situations,
  attacks,
  costs,
  soak: () => soak(Number(process.env.MINUTES ?? 3)),
};

async function main(): Promise<void> {
  const chosen = process.argv.slice(2);
  for (const [name, part] of Object.entries(parts)) if (chosen.length === 0 || chosen.includes(name)) await part();
  const client = await connect();
  await client.query(`drop schema if exists ${schema} cascade`);
  await client.end();
}

void main();

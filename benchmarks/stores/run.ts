import { appending } from './appending';
import { bulk } from './bulk';
import { commanding } from './commanding';
import { ifThere, mariaDbGround, postgresGround, sqliteGround } from './grounds';
import { loading } from './loading';

/** PostgreSQL: appends, commands, loading. */
export async function postgres(): Promise<void> {
  const ground = await ifThere('PostgreSQL', postgresGround);
  if (ground === undefined) return;
  try {
    await appending(ground, { sequential: 0.85, atOnce: 3, operations: 400 });
    await commanding(ground, { sequential: 0.8, atOnce: 1.5, operations: 200 });
    await bulk(ground);
    await loading(ground);
  } finally {
    await ground.drop();
  }
}

/** MariaDB: appends. */
export async function mariadb(): Promise<void> {
  const ground = await ifThere('MariaDB', mariaDbGround);
  if (ground === undefined) return;
  try {
    await appending(ground, { sequential: 0.8, atOnce: 3, operations: 200 });
    await loading(ground);
  } finally {
    await ground.drop();
  }
}

/** SQLite with full durability, with a write-ahead log and without: appends, commands, loading. */
export async function sqlite(): Promise<void> {
  for (const journal of ['WAL', 'DELETE'] as const) {
    const ground = await sqliteGround(journal);
    try {
      await appending(ground, { sequential: 0.8, atOnce: 4, operations: 300 });
      await commanding(ground, { sequential: 0.8, operations: 100 });
      await loading(ground);
    } finally {
      await ground.drop();
    }
  }
}

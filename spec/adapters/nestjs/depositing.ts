// A Nest application that deposits as fast as it can, until it is told to end. Arguments: the file of its database.
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EventSourcing, type EventSourcingError } from 'eventfold';
import { EventSourcingModule } from 'eventfold/nestjs';
import { eventStoreEntities } from 'eventfold/typeorm';
import { Account, AccountBalance } from '../../../samples/bank/account';

const [, , database] = process.argv;
const writers = 20;

/** At once: what is not written when the process ends is not heard of. */
function say(word: string): void {
  writeSync(1, `${word}\n`);
}

@Injectable()
class Depositing implements OnApplicationShutdown {
  constructor(private readonly es: EventSourcing) {}

  async run(): Promise<void> {
    const account = await this.es.create(Account, { accountId: randomUUID() });
    for (;;) {
      try {
        // A database within the process answers at once; requests come one by one, and signals between them.
        await nextTurn();
        await account.deposit(1);
        say('stored');
      } catch (error) {
        say(`refused ${(error as EventSourcingError).code}`);
        return;
      }
    }
  }

  onApplicationShutdown(signal: string): void {
    say(`ended by ${signal}`);
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database: database as string,
      driver: require('libsql') as unknown,
      synchronize: true,
      enableWAL: true,
      entities: eventStoreEntities('better-sqlite3'),
    }),
    EventSourcingModule.forRoot(),
    EventSourcingModule.forFeature([Account, AccountBalance]),
  ],
  providers: [Depositing],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
  app.enableShutdownHooks();
  const depositing = app.get(Depositing);
  await Promise.all(Array.from({ length: writers }, () => depositing.run()));
}

void main();

import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { type Arguments, help, readArguments } from './arguments';
import { createShop } from './create-shop';
import { Shelf } from './shelf';
import { ShopModule } from './shop-module';

async function main(given: Arguments): Promise<void> {
  if (given.role === 'worker') {
    const worker = await NestFactory.createApplicationContext(ShopModule.of(given), { logger: ['error', 'warn'] });
    worker.enableShutdownHooks();
    console.log('The worker keeps the read models up to date.');
    return;
  }
  const shop = await createShop(given);
  if (given.role === 'all') await shop.get(Shelf).fill();
  await shop.listen(given.port);
  console.log(`The shop is open: ${(await shop.getUrl()).replace('[::1]', 'localhost')}`);
}

try {
  const given = readArguments(process.argv.slice(2));
  if (given === 'help') process.stdout.write(help);
  else
    main(given).catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    });
} catch (error) {
  console.error(`${(error as Error).message}\n\n${help}`);
  process.exitCode = 2;
}

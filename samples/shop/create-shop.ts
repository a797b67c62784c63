import { dirname, join } from 'node:path';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { ShopModule, type ShopOptions } from './shop-module';

/** The page is not compiled: it lies where its source is. */
const page = join(dirname(require.resolve('eventfold/package.json')), 'samples/shop/page');

/** Makes a web process of the shop, which does not listen yet. */
export async function createShop(options: ShopOptions): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(ShopModule.of(options), {
    logger: ['error', 'warn'],
    bodyParser: false,
  });
  app.disable('x-powered-by');
  app.useBodyParser('json', { limit: '32kb', reviver: refuseInherited });
  app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }));
  app.useStaticAssets(page, { setHeaders: (response) => response.setHeader('content-security-policy', policy) });
  const description = new DocumentBuilder().setTitle('The Fold').setDescription('A sample of Eventfold.').build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, description));
  app.enableShutdownHooks();
  return app;
}

/** Validation would let names pass that every object has, such as `__proto__` and `constructor`. */
function refuseInherited(key: string, value: unknown): unknown {
  if (key in Object.prototype) throw new SyntaxError(`A property cannot be named ${key}.`);
  return value;
}

/** The page loads nothing from elsewhere, and nobody frames it. */
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

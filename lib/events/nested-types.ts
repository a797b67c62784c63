import { createRequire } from 'node:module';
import { plainToInstance, type TypeMetadata } from 'class-transformer';
import { type Class, isClass } from './event-class';

type Constructor = new () => object;

interface TransformerStorage {
  findTypeMetadata(target: Class, property: string): TypeMetadata | undefined;
}

// class-transformer exports no way to ask what its decorators recorded.
const { defaultMetadataStorage } = createRequire(__filename)('class-transformer/cjs/storage') as {
  defaultMetadataStorage: TransformerStorage;
};

/** @returns the class of a property with class-transformer's `@Type`, if it has one. */
export function nestedType(target: Class, property: string): Class | undefined {
  const nested: unknown = defaultMetadataStorage.findTypeMetadata(target, property)?.typeFunction();
  return isClass(nested) ? nested : undefined;
}

/** Makes the plain objects under properties with class-transformer's `@Type` into instances of those types. */
export function reviveNested(target: Class, instance: object): void {
  for (const key of Object.keys(instance)) {
    const type = defaultMetadataStorage.findTypeMetadata(target, key);
    if (type === undefined) continue;
    const values = instance as Record<string, unknown>;
    const value = values[key];
    const nested = type.typeFunction({ newObject: instance, object: values, property: key } as never) as Constructor;
    values[key] = Array.isArray(value) ? value.map((item) => revive(nested, item)) : revive(nested, value);
  }
}

function revive(nested: Constructor, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof nested)
    return nested === (Date as unknown) && typeof value === 'string' ? new Date(value) : value;
  return plainToInstance(nested, value);
}

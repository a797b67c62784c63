import 'reflect-metadata';
import { createRequire } from 'node:module';
import type { TypeMetadata } from 'class-transformer';
import { type Class, isClass } from './event-class';

/** What a class's decorators say of one of its properties. */
export interface DeclaredType {
  /** What holds the values: `any` when only `@Type` speaks, which may mean one value or an array of them. */
  readonly container: 'one' | 'any' | 'list' | 'map' | 'set';
  /** The class of one value; undefined when that is not known. */
  readonly value: Class | undefined;
  /** Classes of values, told apart by a property. */
  readonly variants: Variants | undefined;
  /** Says that the value's class depends on the object. */
  readonly isDynamic: boolean;
}

/** The `discriminator` of `@Type`. */
export interface Variants {
  readonly property: string;
  readonly isKept: boolean;
  readonly byName: ReadonlyMap<unknown, Class>;
}

interface TransformerStorage {
  findTypeMetadata(target: Class, property: string): TypeMetadata | undefined;
  getStrategy(target: Class): 'none' | 'excludeAll' | 'exposeAll';
  getExposedMetadatas(target: Class): readonly unknown[];
  getExcludedMetadatas(target: Class): readonly unknown[];
  findExcludeMetadata(target: Class, property: string): unknown;
  findExposeMetadata(target: Class, property: string): unknown;
  readonly _transformMetadatas: ReadonlyMap<unknown, unknown>;
  readonly _typeMetadatas: ReadonlyMap<unknown, ReadonlyMap<string, TypeMetadata>>;
}

// class-transformer exports no way to ask what its decorators recorded.
const { defaultMetadataStorage: storage } = createRequire(__filename)('class-transformer/cjs/storage') as {
  defaultMetadataStorage: TransformerStorage;
};

/** @returns what is declared of a property: by class-transformer's `@Type`, else by the metadata that compilers emit. */
export function declaredType(target: Class, property: string): DeclaredType | undefined {
  const design: unknown = Reflect.getMetadata('design:type', target.prototype as object, property);
  const type = storage.findTypeMetadata(target, property);
  if (type === undefined) return designedType(design);
  const value = typeOf(type);
  if (value === 'dynamic') return { container: 'any', value: undefined, variants: undefined, isDynamic: true };
  const container = value === design ? undefined : containerOf(design);
  if (container === undefined && containerOf(value) !== undefined) return designedType(value);
  return { container: container ?? 'any', value, variants: variantsOf(type), isDynamic: false };
}

function designedType(design: unknown): DeclaredType | undefined {
  if (!isClass(design)) return undefined;
  const container = containerOf(design);
  if (container === 'list') return undefined;
  const rest = { variants: undefined, isDynamic: false };
  if (container !== undefined) return { container, value: undefined, ...rest };
  return isScalarClass(design) ? undefined : { container: 'one', value: design, ...rest };
}

function containerOf(design: unknown): 'list' | 'map' | 'set' | undefined {
  if (design === Array) return 'list';
  if (design === Map) return 'map';
  return design === Set ? 'set' : undefined;
}

function typeOf({ typeFunction, reflectedType }: TypeMetadata): Class | undefined | 'dynamic' {
  if (typeof typeFunction !== 'function') return isClass(reflectedType) ? reflectedType : undefined;
  try {
    const type: unknown = typeFunction();
    return isClass(type) ? type : undefined;
  } catch {
    return 'dynamic';
  }
}

function variantsOf({ options }: TypeMetadata): Variants | undefined {
  const { discriminator, keepDiscriminatorProperty: isKept = false } = options ?? {};
  if (discriminator?.property === undefined || discriminator.subTypes === undefined) return undefined;
  const byName = new Map(discriminator.subTypes.map(({ name, value }) => [name, value as Class]));
  return { property: discriminator.property, isKept, byName };
}

/** Says whether a class is one of the platform's whose values, if any, are JSON values. */
export function isScalarClass(target: Class): boolean {
  if (target === (Date as Class) || target === (BigInt as unknown)) return false;
  return Function.prototype.toString.call(target).includes('[native code]');
}

/** @returns the class of a property with class-transformer's `@Type`, if it has one. */
export function nestedType(target: Class, property: string): Class | undefined {
  const type = storage.findTypeMetadata(target, property);
  const nested = type === undefined ? undefined : typeOf(type);
  return nested === 'dynamic' ? undefined : nested;
}

/** @returns the class that `@Type` names for one object, where that depends on the object. */
export function dynamicType(target: Class, property: string, object: object): Class | undefined {
  const nested: unknown = storage.findTypeMetadata(target, property)?.typeFunction({ newObject: object, object, property });
  return isClass(nested) ? nested : undefined;
}

/** Says whether only class-transformer knows a class's plain form: by `@Transform`, `@Expose` or `@Exclude`. */
export function isTransformed(target: Class): boolean {
  if (storage.getExposedMetadatas(target).length > 0 || storage.getExcludedMetadatas(target).length > 0) return true;
  for (let link: unknown = target; isClass(link); link = Object.getPrototypeOf(link)) {
    if (storage.getStrategy(link) !== 'none' || storage._transformMetadatas.has(link)) return true;
    if ([...(storage._typeMetadatas.get(link)?.values() ?? [])].some((type) => typeOf(type) === 'dynamic')) return true;
  }
  return false;
}

/** Says whether class-transformer leaves a property out, as its `@Exclude` asks. */
export function isExcluded(target: Class, property: string): boolean {
  if (storage.findExcludeMetadata(target, property) !== undefined) return true;
  return storage.getStrategy(target) === 'excludeAll' && storage.findExposeMetadata(target, property) === undefined;
}

/** @returns the classes that the decorators of a class name for the values of its properties. */
export function nestedClasses(target: Class): Class[] {
  const properties = new Set<string>();
  for (let link: unknown = target; isClass(link); link = Object.getPrototypeOf(link))
    for (const property of storage._typeMetadatas.get(link)?.keys() ?? []) properties.add(property);
  return [...properties].flatMap((property) => {
    const { value, variants } = declaredType(target, property) ?? {};
    return [...(value === undefined ? [] : [value]), ...(variants?.byName.values() ?? [])];
  });
}

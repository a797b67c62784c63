import { createRequire } from 'node:module';
import { getMetadataStorage } from 'class-validator';
import { blankInstance } from './blank-instance';
import { isExcluded } from './declared-type';
import { type Class, isClass } from './event-class';

interface Exposed {
  readonly propertyName: string | undefined;
  readonly options: { readonly name?: string };
}

interface TransformerStorage {
  getExposedMetadatas(target: Class): readonly Exposed[];
  findTransformMetadatas(target: Class, property: string, direction: number): readonly unknown[];
  readonly _typeMetadatas: ReadonlyMap<unknown, ReadonlyMap<string, unknown>>;
  readonly _transformMetadatas: ReadonlyMap<unknown, ReadonlyMap<string, unknown>>;
}

// class-transformer exports no way to ask what its decorators recorded.
const { defaultMetadataStorage: storage } = createRequire(__filename)('class-transformer/cjs/storage') as {
  defaultMetadataStorage: TransformerStorage;
};

/** class-transformer's word for the way from an instance to its plain form. */
const classToPlain = 1;

/** A property of a class, as far as its decorators and a new instance tell. */
export interface DeclaredProperty {
  readonly name: string;
  /** What it is called in the plain form. */
  readonly storedName: string;
  /** What a new instance holds: undefined where nothing is set. */
  readonly initial: unknown;
  /** Says whether each new instance holds that: not a time, nor an id that is made anew. */
  readonly isConstant: boolean;
  /** Says whether only a function of the class knows its plain form. */
  readonly isTransformed: boolean;
}

/** @returns the properties that are stored, in the order of the class where the compiler defines them. */
export function declaredProperties(target: Class): DeclaredProperty[] {
  const blank = blankValues(target);
  const another = blankValues(target);
  const names = new Set([...Object.keys(blank), ...ruledProperties(target), ...mappedProperties(target)]);
  const exposed = storage.getExposedMetadatas(target);
  return [...names]
    .filter((name) => name !== '__proto__' && !isExcluded(target, name))
    .map((name) => ({
      name,
      storedName: exposed.find(({ propertyName }) => propertyName === name)?.options.name ?? name,
      initial: blank[name],
      isConstant: isSameValue(blank[name], another[name]) && !isNow(blank[name]),
      isTransformed: storage.findTransformMetadatas(target, name, classToPlain).length > 0,
    }));
}

function blankValues(target: Class): Record<string, unknown> {
  try {
    return blankInstance(target) as Record<string, unknown>;
  } catch {
    return {}; // a constructor that cannot run without data tells nothing
  }
}

function isSameValue(one: unknown, other: unknown): boolean {
  try {
    return one === other || JSON.stringify(one) === JSON.stringify(other);
  } catch {
    return false; // no JSON, and so no value that a schema could tell
  }
}

/** Two instances that are made one after the other hold the same time. */
function isNow(value: unknown): boolean {
  const time = typeof value === 'string' ? Date.parse(value) : value;
  return typeof time === 'number' && Math.abs(time - Date.now()) < 60_000;
}

function ruledProperties(target: Class): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(target, '', false, false);
  return rules.map(({ propertyName }) => propertyName).filter((name) => typeof name === 'string');
}

function mappedProperties(target: Class): string[] {
  const names: string[] = [];
  for (let link: unknown = target; isClass(link); link = Object.getPrototypeOf(link)) {
    for (const recorded of [storage._typeMetadatas, storage._transformMetadatas])
      names.push(...(recorded.get(link)?.keys() ?? []));
  }
  return [...names, ...storage.getExposedMetadatas(target).flatMap(({ propertyName }) => propertyName ?? [])];
}

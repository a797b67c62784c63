import { type Class, isClass, nameOf } from '../events/event-class';
import type { Upcaster, UpcastFunction } from '../events/upcaster';
import type { Mistake } from './mistake';
import { type UpcasterRecord, upcasterSlot } from './slots';
import { UpcasterFunction } from './upcaster-function';

/** Something that holds upcasters: a class with `@Upcasts` on methods, an instance of one, or what `upcasts` returned. */
export type UpcasterSource = Class | object | UpcasterFunction;

/** @returns the upcasters of what was listed, and what is wrong with the list. */
export function listedUpcasters(listed: readonly unknown[]): { upcasters: Upcaster[]; mistakes: Mistake[] } {
  const upcasters: Upcaster[] = [];
  const mistakes: Mistake[] = [];
  for (const source of new Set(listed)) {
    if (source instanceof UpcasterFunction) upcasters.push(source.upcaster);
    else {
      const holder = holderOf(source);
      if ('problem' in holder) mistakes.push({ code: 'NO_UPCASTERS', class: nameOf(source), ...holder });
      else for (const record of holder.records) upcasters.push(upcasterOf(holder.target, holder.instance, record));
    }
  }
  return { upcasters, mistakes };
}

type Holder =
  | { readonly target: Class; readonly instance: object | undefined; readonly records: readonly UpcasterRecord[] }
  | { readonly problem: string; readonly remedy: string };

function holderOf(source: unknown): Holder {
  const target = isClass(source) ? source : (source as object | null | undefined)?.constructor;
  const records = isClass(target) ? recordsOf(target) : [];
  if (!isClass(target) || records.length === 0) {
    const remedy =
      source === undefined
        ? 'Break the circular import that leaves it undefined'
        : 'List classes with @Upcasts on methods, instances of them, or what upcasts(…) returns';
    return { problem: 'it has no upcasters', remedy };
  }
  if (source !== target) return { target, instance: source as object, records };
  if (records.every(({ isStatic }) => isStatic)) return { target, instance: undefined, records };
  const remedy = 'List an instance of it, or make its methods static';
  if (target.length > 0) return { problem: 'its constructor takes arguments, and the framework has none to give', remedy };
  try {
    return { target, instance: Reflect.construct(target as new () => object, []), records };
  } catch (error) {
    return { problem: `its constructor threw ${String(error)}`, remedy };
  }
}

/** What a subclass records about a method replaces what its ancestors recorded about it. */
function recordsOf(target: Class): readonly UpcasterRecord[] {
  return upcasterSlot.chain(target).reduce<readonly UpcasterRecord[]>((merged, own) => {
    const isReplaced = (record: UpcasterRecord) =>
      own.some(({ method, isStatic }) => method === record.method && isStatic === record.isStatic);
    return [...merged.filter((record) => !isReplaced(record)), ...own];
  }, []);
}

function upcasterOf(target: Class, instance: object | undefined, { method, isStatic, ...way }: UpcasterRecord): Upcaster {
  const owner = (isStatic ? target : instance) as Record<string | symbol, UpcastFunction>;
  const run = (owner[method] as UpcastFunction).bind(owner);
  return { ...way, place: { class: target.name, member: String(method) }, run };
}

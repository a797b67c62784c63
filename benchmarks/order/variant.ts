import type { Client } from 'pg';

export interface Row {
  readonly position: number;
  readonly stream: string;
  readonly version: number;
}

/** One step of a reader: what it now hands on, and whether to ask again at once. */
export interface Step {
  readonly rows: readonly Row[];
  readonly again: boolean;
}

/** A reader's connection and its place: each call goes on from the last. */
export type Follow = (client: Client) => () => Promise<Step>;

/** A way to give events one order. */
export interface Variant {
  readonly name: string;
  /** Columns, besides position, stream, version, type and data. */
  readonly columns?: string;
  /** Tables of its own. */
  readonly tables?: string;
  /** Statements of the append function after its guard and before the number is taken. */
  readonly before?: string;
  /** How the append function takes its number. */
  readonly number?: string;
  /** Statements between number and insert, for the variants that are wrong on purpose. */
  readonly after?: string;
  readonly follow: Follow;
  /** Wrong on purpose: shows that the load finds what it looks for. */
  readonly control?: true;
}

/** The statements that lay the tables and the append function of a variant. */
export function layout({ columns = '', tables = '', before = '', number = `nextval('numbers')`, after = '' }: Variant): string {
  return `
    create sequence numbers as bigint cache 1;
    create table events (position bigint primary key, stream text not null, version int not null, type text not null,
      data text not null ${columns}, unique (stream, version));
    create table notes (id bigint generated always as identity, body text);
    ${tables}
    create function append(into_stream text, event_type text, event_data text, fails boolean) returns bigint
    language plpgsql as $body$
    declare v int; p bigint; l bigint;
    begin
      select coalesce(max(version), 0) + 1 into v from events where stream = into_stream;
      ${before}
      p := ${number};
      ${after}
      insert into events (position, stream, version, type, data) values (p, into_stream, v, event_type, event_data);
      if fails then raise exception 'rolled back' using errcode = 'EVF01'; end if;
      return p;
    end $body$;`;
}

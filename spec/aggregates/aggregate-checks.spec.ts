import { Type } from 'class-transformer';
import { IsString, registerDecorator, ValidateNested } from 'class-validator';
import {
  Aggregate,
  AggregateRoot,
  Command,
  createEvent,
  Event,
  EventSourcing,
  EventValidationError,
  Handles,
  InMemoryEventStore,
  ProjectionId,
  StartUpError,
} from 'eventfold';
import { Counted, rejection } from '../controls/wallets';

function LateRule() {
  return (target: object, propertyName: string) =>
    registerDecorator({
      name: 'isFree',
      target: target.constructor,
      propertyName,
      async: true,
      validator: { validate: async () => false },
    });
}

class Name {
  @LateRule() text!: string;
}

@Event('name.claimed')
class Claimed {
  @IsString() nameId!: string;
  @LateRule() name!: string;
}

@Event('name.changed')
class Changed {
  @IsString() nameId!: string;
  @ValidateNested() @Type(() => Name) name!: Name;
}

async function mistakesOf(...classes: (abstract new () => object)[]) {
  const error = await rejection(EventSourcing.open({ store: new InMemoryEventStore(), classes }));
  expect(error).toBeInstanceOf(StartUpError);
  return (error as StartUpError).mistakes.map(({ code, class: name, member }) => ({
    code,
    class: name,
    ...(member && { member }),
  }));
}

describe('aggregateMistakes', () => {
  it('finds an aggregate that does not extend AggregateRoot', async () => {
    @Aggregate()
    class Orphan {
      @ProjectionId() tallyId!: string;
      @Handles(Counted) counted() {}
    }
    expect(await mistakesOf(Orphan)).toEqual([{ code: 'NO_AGGREGATE_ROOT', class: 'Orphan' }]);
  });

  it('finds a member that would hide one of the framework', async () => {
    @Aggregate()
    class Hiding extends AggregateRoot {
      @Handles(Counted) counted() {}
      override emit() {}
    }
    expect(await mistakesOf(Hiding)).toEqual([{ code: 'RESERVED_NAME', class: 'Hiding', member: 'emit' }]);
  });

  it('finds a rule that is a promise, in nested data too', async () => {
    @Aggregate()
    class Names extends AggregateRoot<'nameId'> {
      @ProjectionId() nameId!: string;
      @Command() async nothing() {}
      @Handles(Claimed) protected claimed() {}
      @Handles(Changed) protected changed() {}
    }
    expect(await mistakesOf(Names)).toEqual([
      { code: 'ASYNC_VALIDATOR', class: 'Names', member: 'name' },
      { code: 'ASYNC_VALIDATOR', class: 'Names', member: 'name.text' },
    ]);
  });
});

describe('a rule that is a promise', () => {
  it('is not passed over where no aggregate handles the event', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Claimed, Changed] });
    const claimed = Object.assign(new Claimed(), { nameId: 'a', name: 'x' });
    const changed = Object.assign(new Changed(), { nameId: 'a', name: Object.assign(new Name(), { text: 'x' }) });
    for (const event of [claimed, changed]) {
      const error = await rejection(es.appendUnguarded('names', [event]));
      expect(error).toBeInstanceOf(EventValidationError);
      expect((error as Error).message).toContain('promise');
    }
    expect(() => createEvent(Claimed, { nameId: 'a', name: 'x' })).toThrow(EventValidationError);
  });
});

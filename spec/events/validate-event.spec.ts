import { Type } from 'class-transformer';
import { IsPositive, IsString, IsUUID, Length, registerDecorator, ValidateNested } from 'class-validator';
import { createEvent, Event, EventValidationError } from 'eventfold';
import { asyncRules, validateEvent } from '../../lib/events/validate-event';

class Item {
  @IsPositive() count!: number;
}

class Base {
  @IsUUID() orderId!: string;
}

@Event('ordered')
class Ordered extends Base {
  @IsString() @Length(2, 5) code!: string;
  @ValidateNested({ each: true }) @Type(() => Item) items!: Item[];
  @ValidateNested() @Type(() => Item) gift?: Item;
}

class Free {
  anything?: unknown;
}

const orderId = '7a7a1e0e-6a4d-4f6f-9c53-0c7b6a4c1f11';

const violationsOf = (event: object, target: new () => object) => {
  try {
    validateEvent({ class: target }, event);
  } catch (error) {
    expect(error).toBeInstanceOf(EventValidationError);
    expect((error as EventValidationError).event).toBe(target.name);
    return (error as EventValidationError).violations.map(({ property, rule }) => `${property}: ${rule}`);
  }
  return [];
};

describe('validateEvent', () => {
  it('passes an event that keeps its rules, and any of a class without rules', () => {
    const gift = Object.assign(new Item(), { count: 1 });
    expect(violationsOf(Object.assign(new Ordered(), { orderId, code: 'abc', items: [gift], gift }), Ordered)).toEqual([]);
    expect(violationsOf(Object.assign(new Free(), { anything: Number.NaN }), Free)).toEqual([]);
  });

  it('names every broken rule with its property, inherited and nested ones too', () => {
    const bad = Object.assign(new Item(), { count: -1 });
    const event = Object.assign(new Ordered(), { orderId: 'x', code: 'toolong', items: [bad, bad], gift: bad });
    expect(violationsOf(event, Ordered)).toEqual([
      'code: isLength',
      'items[0].count: isPositive',
      'items[1].count: isPositive',
      'gift.count: isPositive',
      'orderId: isUuid',
    ]);
  });

  it('says in the message which class, what is wrong, and the rule', () => {
    expect(() => createEvent(Ordered, { orderId: 'x', code: 'abc', items: [] })).toThrow(
      'Ordered is not valid: orderId must be a UUID (isUuid).',
    );
  });

  it('checks nested plain data by the rules of its type', () => {
    expect(() => createEvent(Ordered, { orderId, code: 'abc', items: [{ count: 0 }] })).toThrow(EventValidationError);
    expect(() => createEvent(Ordered, { orderId, code: 'abc', items: 'x' as never })).toThrow(EventValidationError);
  });
});

describe('asyncRules', () => {
  it('names the properties whose rule is a promise', () => {
    class Checked {
      @IsString() plain!: string;
      late!: string;
    }
    registerDecorator({
      name: 'isFree',
      target: Checked,
      propertyName: 'late',
      async: true,
      validator: { validate: async () => true },
    });
    expect(asyncRules(Checked)).toEqual(['late']);
    expect(asyncRules(Ordered)).toEqual([]);
  });
});

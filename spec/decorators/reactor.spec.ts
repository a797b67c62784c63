import { type DecoratorError, Event, Handles, Projection, ProjectionId, Reactor, type ReactorContext, Registry } from 'eventfold';
import { decoratorErrorOf } from './decorator-error-of';

@Event('account.opened')
class Opened {
  accountId!: string;
}

class MailerBase {
  @Handles(Opened)
  async opened(_event: Opened, _context: ReactorContext) {}
}

function refused(options: unknown): DecoratorError {
  return decoratorErrorOf(() => Reactor(options as never));
}

describe('Reactor', () => {
  it('records a reactor under the name of its class, or a name of its own', () => {
    @Reactor()
    class Mailer extends MailerBase {}

    @Reactor({ name: 'bank.mail', from: 'start', retry: { attempts: 1 }, maxParked: 5 })
    class OtherMailer extends MailerBase {}
    const registry = Registry.of([Mailer, OtherMailer]);
    expect(registry.reactors()).toMatchObject([
      { kind: 'reactor', class: 'Mailer', name: 'Mailer' },
      { kind: 'reactor', class: 'OtherMailer', name: 'bank.mail' },
    ]);
    const retry = { attempts: 10, delayMs: 1_000, maxDelayMs: 300_000 };
    expect(registry.allModels().map(({ projection }) => projection)).toMatchObject([
      { retry, maxParked: 1_000, reactor: { from: undefined } },
      { retry: { ...retry, attempts: 1 }, maxParked: 5, reactor: { from: 'start' } },
    ]);
  });

  it('is not inherited', () => {
    @Reactor()
    class Mailer extends MailerBase {}
    class OtherMailer extends Mailer {}
    expect(() => Registry.of([OtherMailer])).toThrow(/OtherMailer: it has no decorator/);
  });

  it.each([
    [{ name: 'a:b' }, /is no name/],
    [{ from: 'end' }, /from is "end". Give 'start' or 'now'/],
    [{ from: null }, /from is null/],
    [{ maxParked: 0 }, /maxParked 0 is not possible/],
    [{ retry: { attempts: 0 } }, /0 attempts are not possible/],
    [{ retry: { delayMs: -1 } }, /a delay of -1 ms is not possible/],
    [{ retry: { times: 3 } }, /"times" is unknown/],
    [{ mode: 'inline' }, /"mode" is unknown. Known options: name, from, retry, maxParked/],
    [null, /expected an object/],
  ])('refuses %p', (options, message) => {
    expect(refused(options)).toMatchObject({ decorator: '@Reactor', message: expect.stringMatching(message) });
  });

  it('is refused beside @Projection, whichever comes first', () => {
    const one = decoratorErrorOf(() => {
      @Reactor()
      @Projection()
      class Mailer extends MailerBase {}
      return Mailer;
    });
    const other = decoratorErrorOf(() => {
      @Projection()
      @Reactor()
      class Mailer extends MailerBase {}
      return Mailer;
    });
    expect([one.message, other.message]).toStrictEqual([
      '@Reactor on Mailer: it is a @Projection() already. Make it two classes.',
      '@Projection on Mailer: it is a @Reactor() already. Make it two classes.',
    ]);
  });

  it('takes ids and id maps like a projection', () => {
    @Reactor()
    class Mailer {
      @ProjectionId() owner!: string;

      @Handles(Opened, { owner: 'accountId' })
      opened() {}
    }
    expect(Registry.of([Mailer]).describe(Mailer).handlers).toMatchObject([{ ids: { owner: 'accountId' } }]);
  });
});

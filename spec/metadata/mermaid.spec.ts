import { Aggregate, AggregateRoot, dropped, Event, Handles, Projection, ProjectionId, Registry, upcasts } from 'eventfold';

@Event('account.opened')
class Opened {
  accountId!: string;
}

@Event('account.transferred')
class Transferred {
  from!: string;
  to!: string;
}

@Aggregate()
class Account extends AggregateRoot<'accountId'> {
  @ProjectionId() readonly accountId!: string;

  @Handles(Opened)
  protected opened() {}

  @Handles(Transferred, { accountId: 'from' })
  protected sent() {}

  @Handles(Transferred, { accountId: (event) => event.to })
  protected received() {}
}

@Projection({ mode: 'live' })
class Openings {
  @Handles(Opened)
  opened() {}
}

/** The text of a label as a reader sees it: Mermaid writes a character as `#`, its code and `;`. */
function decoded(text: string): string {
  return text.replace(/#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

describe('Registry.toMermaid', () => {
  it('draws each event, each class, and an arrow for each handler with the ids that lead there', () => {
    expect(Registry.of([Account, Openings]).toMermaid()).toBe(
      [
        'flowchart LR',
        '  e0(["account.opened"])',
        '  e1(["account.transferred"])',
        '  c0{{"Account\nboundary · accountId"}}',
        '  e0 --> c0',
        '  e1 -- "accountId = from" --> c0',
        '  e1 -- "accountId = ƒ" --> c0',
        '  c1[("Openings\nlive")]',
        '  e0 --> c1',
      ].join('\n'),
    );
  });

  it('draws the names and versions that events are read from', () => {
    @Event('payment "made"', { version: 3, aliases: ['Paid'] })
    class Paid {}
    const same = (data: object) => data;
    const upcasters = [
      upcasts(Paid, { from: 2, to: 3 }, same),
      upcasts(Paid, { from: 1, to: 2 }, same),
      upcasts('bought', { from: 1, into: [{ event: Opened, version: 1 }] }, () => []),
      upcasts('bought', { from: 2, to: 1, into: 'sold' }, same),
      upcasts('sold', { from: 1, into: [] }, () => dropped('nobody knows')),
    ];
    expect(Registry.of([Opened, Paid], () => [], { upcasters }).toMermaid()).toBe(
      [
        'flowchart LR',
        '  e0(["account.opened"])',
        '  e1(["payment #34;made#34;',
        'v1 → v2 → v3"])',
        '  s0[/"Paid"/]',
        '  s1[/"bought"/]',
        '  s2[/"sold"/]',
        '  dropped((dropped))',
        '  s0 -. "alias" .-> e1',
        '  s1 -. "v1" .-> e0',
        '  s1 -. "v2" .-> s2',
        '  s2 -. "v1" .-> dropped',
      ].join('\n'),
    );
  });

  it('draws an event that nobody handles', () => {
    expect(Registry.of([Opened]).toMermaid()).toBe('flowchart LR\n  e0(["account.opened"])');
  });

  it.each([
    ['say "hello"'],
    ['<b>bold</b><br/>'],
    ['a & b &amp; c'],
    ['#quot; #35;'],
    ['`code`'],
    ['%%{init}%%'],
    ['end'],
    ['a]) --> b(['],
    ['ünï — ✓ 漢字'],
  ])('keeps %p in one label, without HTML, Markdown or a directive', (name) => {
    @Event(name)
    class Odd {}
    const [, label = ''] = /^ {2}e0\(\["([^"]*)"\]\)$/m.exec(Registry.of([Odd]).toMermaid()) ?? [];
    expect(decoded(label)).toBe(name);
    expect(label).not.toMatch(/[<>"`%&]/);
    expect(label.replace(/#\d+;/g, '')).not.toMatch(/#/);
  });

  it('keeps ids with quotes and line breaks in their labels', () => {
    @Projection()
    class Odd {
      @ProjectionId() 'the "id"\n'!: string;

      @Handles(Opened, { 'the "id"\n': 'accountId' })
      opened() {}
    }
    expect(Registry.of([Odd]).toMermaid().split('\n')).toStrictEqual([
      'flowchart LR',
      '  e0(["account.opened"])',
      '  c0[("Odd',
      'async · the #34;id#34;#10;")]',
      '  e0 -- "the #34;id#34;#10; = accountId" --> c0',
    ]);
  });
});

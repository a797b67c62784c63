import { type Browser, type Context, chromiumPath, openChromium, type Page } from './chromium';
import { OpenShop } from './open-shop';

const isMissing = (process.env['EVENTFOLD_MISSING'] ?? '').split(',').includes('Chromium');

(isMissing ? describe.skip : describe)(`the page of the shop (${chromiumPath})`, () => {
  let shop: OpenShop;
  let browser: Browser;
  let customers: readonly [Page, Page];
  const faults: string[] = [];

  beforeAll(async () => {
    [shop, browser] = await Promise.all([OpenShop.open(), openChromium()]);
    customers = [await visit(), await visit()];
  });

  afterAll(async () => {
    await browser?.close();
    await shop?.close();
  });

  afterEach(() => expect(faults).toStrictEqual([]));

  /** A customer with a browser of their own: nothing is shared but the shop. */
  async function visit(): Promise<Page> {
    return openWindow(await browser.newContext({ viewport: { width: 1280, height: 800 } }));
  }

  async function openWindow(context: Context): Promise<Page> {
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on('pageerror', ({ message }) => faults.push(message));
    page.on('response', (response) => {
      if (response.status() >= 400 && ![409, 412].includes(response.status()))
        faults.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(shop.url);
    await page.getByText('Live', { exact: true }).waitFor();
    return page;
  }

  const put = async (page: Page, name: string) => {
    await page.getByRole('button', { name: `Add ${name} to the cart` }).click();
    await page.locator('.line', { hasText: name }).waitFor();
  };
  const order = (page: Page) => page.getByRole('button', { name: 'Order', exact: true }).click();
  const clock = (page: Page) => page.locator('[data-product=station-clock]');
  const sees = (page: Page, text: string) => page.getByText(text).first().waitFor();
  const outcomeOf = async (page: Page) => {
    await page.locator('#placed:visible, #problem:visible').first().waitFor();
    return (await page.locator('#placed').isVisible()) ? 'placed' : 'refused';
  };

  it('sells the last one to one of two customers, and tells the other', async () => {
    for (const page of customers) await put(page, 'Station clock');
    await Promise.all(customers.map(order));
    const outcomes = await Promise.all(customers.map(outcomeOf));
    expect([...outcomes].sort()).toStrictEqual(['placed', 'refused']);
    const loser = customers[outcomes.indexOf('refused')] as Page;
    expect(await loser.getByRole('alert').innerText()).toBe(
      'Somebody was faster.\nStation clock is sold out. Nothing was ordered.',
    );
    await loser.locator('.shortage', { hasText: 'sold out' }).waitFor();
    for (const page of customers) {
      await clock(page).getByText('Sold out').waitFor();
      expect(await clock(page).getByRole('button').isDisabled()).toBe(true);
      await page.locator('#orders', { hasText: /^1$/ }).waitFor();
      expect(await page.locator('#revenue').innerText()).toBe('€240.00');
    }
  });

  it('shows both that the last one is back when its order is cancelled, and the other gets it', async () => {
    const outcomes = await Promise.all(customers.map(outcomeOf));
    const [winner, loser] = (outcomes[0] === 'placed' ? customers : customers.toReversed()) as [Page, Page];
    await winner.getByRole('button', { name: 'Cancel this order' }).click();
    for (const page of customers) {
      await clock(page).getByText('Last one').waitFor();
      await page.locator('#orders', { hasText: /^0$/ }).waitFor();
    }
    await order(loser);
    await sees(loser, 'Thank you, it is yours.');
    await clock(winner).getByText('Sold out').waitFor();
  });

  it('keeps the cart when the page is loaded again, and changes it', async () => {
    const [page] = customers;
    await put(page, 'Enamel mug');
    await page.getByRole('button', { name: 'One more: Enamel mug' }).click();
    await page.locator('#total', { hasText: '€28.00' }).waitFor();
    await page.reload();
    await page.locator('#total', { hasText: '€28.00' }).waitFor();
    for (const name of ['One less: Enamel mug', 'Take out Enamel mug']) await page.getByRole('button', { name }).click();
    await sees(page, 'Nothing in it yet.');
  });

  it('shows a cart again that was changed in another window, before it changes it', async () => {
    const [page] = customers;
    await put(page, 'Desk lamp');
    const other = await openWindow(page.context());
    await other.locator('#total', { hasText: '€59.00' }).waitFor();
    await page.getByRole('button', { name: 'One more: Desk lamp' }).click();
    await page.locator('#total', { hasText: '€118.00' }).waitFor();
    await other.getByRole('button', { name: 'One more: Desk lamp' }).click();
    await sees(other, 'The cart was changed elsewhere.');
    await other.locator('#total', { hasText: '€118.00' }).waitFor();
    await other.close();
  });

  it('is not connected while nobody sees it, so that any number of windows may be open', async () => {
    const [page] = customers;
    const windows: Page[] = [];
    for (let count = 0; count < 4; count += 1) windows.push(await openHidden(page.context()));
    await page.getByRole('button', { name: 'One less: Desk lamp' }).click();
    await page.locator('#total', { hasText: '€59.00' }).waitFor();
    await page.getByRole('button', { name: 'One more: Desk lamp' }).click();
    await page.locator('#total', { hasText: '€118.00' }).waitFor();
    for (const other of windows) await other.close();
  });

  /** A window that is behind another one. */
  async function openHidden(context: Context): Promise<Page> {
    const page = await openWindow(context);
    await page.evaluate("Object.defineProperty(document, 'hidden', { value: true })");
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await page.getByText('Connecting …', { exact: true }).waitFor();
    return page;
  }

  it('fits a telephone, where the cart is one touch away', async () => {
    const [page] = customers;
    await page.setViewportSize({ width: 360, height: 720 });
    await put(page, 'Kettle');
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    await page.getByRole('link', { name: 'Cart · 3 items' }).click();
    expect(await page.locator('#cart-title').isVisible()).toBe(true);
    // A cart that was changed in another window: what is refused is seen from the top of the shelf, too.
    const other = await openWindow(page.context());
    await other.getByRole('button', { name: 'One more: Kettle' }).click();
    await other.locator('#total', { hasText: '€208.00' }).waitFor();
    await page.evaluate('scrollTo(0, 0)');
    await page.getByRole('button', { name: 'Add Boston fern to the cart' }).click();
    await sees(page, 'The cart was changed elsewhere.');
    const box = "document.querySelector('#problem').getBoundingClientRect()";
    expect(await page.evaluate(`${box}.top >= 0 && ${box}.bottom <= innerHeight`)).toBe(true);
    await other.close();
  });
});

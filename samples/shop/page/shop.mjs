import { call } from './api.mjs';
import { Cart } from './cart.mjs';
import { follow } from './live.mjs';
import { drawSales } from './sales.mjs';
import { drawProduct } from './shelf.mjs';
import { element, money } from './text.mjs';

const cart = new Cart();
/** As the shop told last, by id. */
const products = new Map();
/** What could not be had, by the product's id. */
let shortages = new Map();
let work = Promise.resolve();

/** One change after the other; what is refused is said beside the cart. */
function change(task) {
  work = work.then(async () => {
    element('problem').hidden = true;
    element('placed').hidden = true;
    shortages = new Map();
    element('order').disabled = true;
    try {
      await task();
    } catch (error) {
      for (const shortage of error.problem?.shortages ?? []) shortages.set(shortage.productId, shortage);
      say('problem', titleOf(error.problem), error.message);
      // On a telephone the cart may be far from the button that was pressed.
      element('problem').scrollIntoView({ block: 'nearest' });
    } finally {
      element('order').disabled = false;
      drawCart();
    }
  });
}

function add(productId) {
  change(() => cart.set(productId, Math.min(99, (cart.quantities.get(productId) ?? 0) + 1)));
}

function order() {
  change(async () => {
    const { orderId, totalCents } = await cart.order(total());
    say('placed', 'Thank you, it is yours.', `Order ${orderId.slice(0, 8)} · ${money(totalCents)}`);
    const cancel = document.createElement('button');
    cancel.textContent = 'Cancel this order';
    cancel.addEventListener('click', () => change(() => cancelOrder(orderId)));
    element('placed').append(cancel);
  });
}

async function cancelOrder(orderId) {
  await call('POST', `/api/orders/${orderId}/cancellation`);
  say('placed', 'The order is cancelled.', 'Everything is back on the shelf.');
}

function total() {
  return [...cart.quantities].reduce((sum, [id, quantity]) => sum + quantity * (products.get(id)?.priceCents ?? 0), 0);
}

function drawCart() {
  const focused = document.activeElement?.dataset?.step;
  element('lines').replaceChildren(...[...cart.quantities].map(lineOf));
  if (focused !== undefined)
    element('lines')
      .querySelector(`[data-step="${CSS.escape(focused)}"]`)
      ?.focus();
  element('empty').hidden = !cart.isEmpty || !element('placed').hidden;
  element('checkout').hidden = cart.isEmpty;
  element('total').textContent = money(total());
  const count = [...cart.quantities.values()].reduce((sum, quantity) => sum + quantity, 0);
  element('to-cart').hidden = cart.isEmpty;
  element('to-cart-count').textContent = `Cart · ${count} ${count === 1 ? 'item' : 'items'}`;
  element('to-cart-total').textContent = money(total());
}

function lineOf([productId, quantity]) {
  const { name = productId, priceCents = 0 } = products.get(productId) ?? {};
  const line = element('line').content.cloneNode(true).firstElementChild;
  line.dataset.line = productId;
  line.querySelector('.name').textContent = name;
  line.querySelector('.amount').textContent = money(quantity * priceCents);
  line.querySelector('.quantity').textContent = String(quantity);
  line.querySelector('.stepper').setAttribute('aria-label', `How many: ${name}`);
  step(line.querySelector('.less'), productId, quantity - 1, quantity === 1 ? `Take out ${name}` : `One less: ${name}`);
  step(line.querySelector('.more'), productId, Math.min(99, quantity + 1), `One more: ${name}`);
  const shortage = shortages.get(productId);
  if (shortage !== undefined)
    line.querySelector('.shortage').textContent = shortage.available === 0 ? 'sold out' : `only ${shortage.available} left`;
  return line;
}

function step(button, productId, quantity, label) {
  button.setAttribute('aria-label', label);
  button.dataset.step = `${productId} ${button.className}`;
  button.addEventListener('click', () => change(() => cart.set(productId, quantity)));
}

function say(id, title, text) {
  const strong = document.createElement('b');
  strong.textContent = title;
  element(id).replaceChildren(strong, text);
  element(id).hidden = false;
}

function titleOf(problem) {
  if (problem?.shortages !== undefined) return 'Somebody was faster.';
  return problem?.status === 0 ? 'No answer.' : 'That did not work.';
}

/** Which lists are followed at the moment. */
const isLive = { products: false, sales: false };

function tellConnection(list) {
  return (isUp) => {
    isLive[list] = isUp;
    const isWhole = isLive.products && isLive.sales;
    element('connection').textContent = isWhole ? 'Live' : 'Connecting …';
    element('connection').dataset.state = isWhole ? 'live' : 'waiting';
  };
}

function hearProduct(product) {
  products.set(product.productId, product);
  drawProduct(product, add);
  if (cart.quantities.has(product.productId)) drawCart();
}

follow('/api/products/live', hearProduct, tellConnection('products'));
follow('/api/sales/live', (sales) => drawSales(sales), tellConnection('sales'));
element('order').addEventListener('click', order);
change(() => cart.load());

import { element, money, show } from './text.mjs';

const cards = new Map();

/** Draws a product, or what has changed of it. */
export function drawProduct(product, add) {
  const card = cards.get(product.productId) ?? place(product, add);
  const { name, description, picture, priceCents, available } = product;
  card.dataset.stock = available === 0 ? 'none' : available <= 5 ? 'few' : 'many';
  card.querySelector('use').setAttribute('href', `drawings.svg#${picture}`);
  show(card.querySelector('h3'), name);
  show(card.querySelector('.description'), description);
  show(card.querySelector('.price'), money(priceCents));
  show(card.querySelector('.stock'), stockText(available));
  const button = card.querySelector('button');
  button.disabled = available === 0;
  button.setAttribute('aria-label', `Add ${name} to the cart`);
}

function place({ productId }, add) {
  const card = element('product').content.cloneNode(true).firstElementChild;
  card.dataset.product = productId;
  card.querySelector('button').addEventListener('click', () => add(productId));
  element('products').append(card);
  element('products').removeAttribute('aria-busy');
  cards.set(productId, card);
  return card;
}

function stockText(available) {
  if (available === 0) return 'Sold out';
  return available === 1 ? 'Last one' : `${available} left`;
}

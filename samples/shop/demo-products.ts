import type { Payload } from 'eventfold';
import type { ProductListed } from './product';

/** What a new shop has on its shelves. */
export const demoProducts: readonly (Payload<ProductListed> & { readonly quantity: number })[] = [
  {
    productId: 'enamel-mug',
    name: 'Enamel mug',
    description: 'Holds a third of a litre and survives the office kitchen.',
    picture: 'mug',
    priceCents: 14_00,
    quantity: 24,
  },
  {
    productId: 'desk-lamp',
    name: 'Desk lamp',
    description: 'Bends where you want it and stays there. Warm light.',
    picture: 'lamp',
    priceCents: 59_00,
    quantity: 7,
  },
  {
    productId: 'dotted-notebook',
    name: 'Dotted notebook',
    description: 'A hundred and sixty pages that lie flat.',
    picture: 'notebook',
    priceCents: 9_50,
    quantity: 60,
  },
  {
    productId: 'kettle',
    name: 'Kettle',
    description: 'For the stove. Whistles a third, a major one.',
    picture: 'kettle',
    priceCents: 45_00,
    quantity: 9,
  },
  {
    productId: 'boston-fern',
    name: 'Boston fern',
    description: 'Likes shade, water and being left alone.',
    picture: 'fern',
    priceCents: 18_00,
    quantity: 5,
  },
  {
    productId: 'headphones',
    name: 'Headphones',
    description: 'Closed, with a cable that can be replaced.',
    picture: 'headphones',
    priceCents: 129_00,
    quantity: 6,
  },
  {
    productId: 'canvas-backpack',
    name: 'Canvas backpack',
    description: 'Twenty litres, waxed, with a sleeve for a laptop.',
    picture: 'backpack',
    priceCents: 89_00,
    quantity: 4,
  },
  {
    productId: 'station-clock',
    name: 'Station clock',
    description: 'From a line that was closed. There is one.',
    picture: 'clock',
    priceCents: 240_00,
    quantity: 1,
  },
];

import { Cart } from './cart';
import { CatalogueItem } from './catalogue-item';
import { DailySales } from './daily-sales';
import { Order } from './order';
import { OrderSummary } from './order-summary';
import { Product } from './product';
import { Stock } from './stock';

/** What decides. */
export const aggregates = [Product, Stock, Cart, Order];
/** What is read: tables that keep themselves up to date. */
export const readModels = [CatalogueItem, OrderSummary, DailySales];
export const shopClasses = [...aggregates, ...readModels];

import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The tables of the shop as one writes them without events. */
@Entity('plain_products')
export class PlainProduct {
  @PrimaryColumn('varchar', { length: 40 }) productId!: string;
  @Column('varchar', { length: 60 }) name!: string;
  @Column('integer') priceCents!: number;
  @Column('integer') available!: number;
  @Column('integer') sold!: number;
}

@Entity('plain_carts')
export class PlainCart {
  @PrimaryColumn('uuid') cartId!: string;
  @Column('uuid', { nullable: true }) orderId!: string | null;
}

@Entity('plain_cart_lines')
export class PlainCartLine {
  @PrimaryColumn('uuid') cartId!: string;
  @PrimaryColumn('varchar', { length: 40 }) productId!: string;
  @Column('integer') quantity!: number;
}

@Entity('plain_orders')
export class PlainOrder {
  @PrimaryColumn('uuid') orderId!: string;
  @Column('uuid') cartId!: string;
  @Column('integer') totalCents!: number;
  @Column('timestamptz') placedAt!: Date;
}

@Entity('plain_order_lines')
export class PlainOrderLine {
  @PrimaryColumn('uuid') orderId!: string;
  @PrimaryColumn('varchar', { length: 40 }) productId!: string;
  @Column('integer') quantity!: number;
  @Column('integer') priceCents!: number;
}

export const plainTables = [PlainProduct, PlainCart, PlainCartLine, PlainOrder, PlainOrderLine];

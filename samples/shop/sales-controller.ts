import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { InjectRepository } from '@nestjs/typeorm';
import { EventSourcing } from 'eventfold';
import { Consistent } from 'eventfold/nestjs';

import type { Request, Response } from 'express';
import { MoreThan, Repository } from 'typeorm';
import { SalesAnswer } from './answers';
import { DailySales, dayOf } from './daily-sales';
import { live } from './live';
import { SalesQuery } from './requests';

@ApiTags('sales')
@Controller('api/sales')
export class SalesController {
  constructor(
    private readonly es: EventSourcing,
    @InjectRepository(DailySales) private readonly sales: Repository<DailySales>,
  ) {}

  @Get()
  @Consistent(DailySales)
  @ApiOkResponse({ type: [SalesAnswer], description: 'Days (UTC) on which something was sold' })
  lastDays(@Query() { days }: SalesQuery): Promise<DailySales[]> {
    const before = dayOf({ placedAt: new Date(Date.now() - days * 86_400_000) });
    return this.sales.find({ where: { day: MoreThan(before) }, order: { day: 'ASC' } });
  }

  @Get('live')
  @ApiOperation({ summary: 'Server-sent events: `all` of the last seven days, then each day that changes, as `message`' })
  live(@Req() request: Request, @Res() response: Response): Promise<void> {
    return live(this.es, DailySales, { request, response, all: () => this.lastDays({ days: 7 }) });
  }
}
